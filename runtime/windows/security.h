#pragma once

#include <windows.h>

#include <memory>
#include <optional>
#include <string>

#include "lwmsg/os_handle.h"
#include "lwmsg/server.h"
#include "lwmsg/status.h"
#include "runtime/peer_policy.h"

namespace lwmsg::internal {

// Who may connect to a pipe, from ListenOptions, as the system takes it and as MayConnect does.
// Accounts are looked up once, when it is made. An owner other than this process's needs
// SeRestorePrivilege when the pipe is made (ERROR_INVALID_OWNER).
class PipeSecurity {
 public:
  // Error: kNotFound for an account that is not there; see PipeSddl (runtime/pipe_security.h) too.
  static Result<PipeSecurity> Make(const ListenOptions& options);

  // For CreateNamedPipe; valid as long as this is. Handles are not inherited.
  SECURITY_ATTRIBUTES attributes() const;
  const Policy& policy() const { return policy_; }

 private:
  struct Free {
    void operator()(void* descriptor) const { LocalFree(descriptor); }
  };

  PipeSecurity() = default;

  Policy policy_;
  std::unique_ptr<void, Free> descriptor_;
};

// To whom a pipe belongs, for MayServe; empty if it does not tell. `pipe` was opened with
// READ_CONTROL, which kPipeClientAccess has.
std::optional<std::string> OwnerOfPipe(const OsHandle& pipe);

}  // namespace lwmsg::internal
