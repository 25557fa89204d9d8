#include "runtime/windows/security.h"

#include <aclapi.h>
#include <sddl.h>

#include "runtime/pipe_security.h"
#include "runtime/windows/account.h"
#include "runtime/windows/peer_token.h"
#include "runtime/windows/system_status.h"
#include "runtime/windows/token_information.h"
#include "runtime/windows/wide_text.h"

namespace lwmsg::internal {
namespace {

// Administrators for one who is elevated, as the system does by default: so a client sees that only
// an administrator can have made the pipe. Else the user, and no other group that may be set as
// owner.
Result<std::string> DefaultOwner(const OwnFacts& own) {
  HANDLE opened = nullptr;
  if (OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &opened) == 0) {
    return Error(SystemStatus("cannot read the token of this process", GetLastError()));
  }
  const OsHandle token(opened);
  const TokenInformation<TOKEN_OWNER> owner(token, TokenOwner);
  if (owner && SidText(owner->Owner) == kAdministratorsSid) return std::string(kAdministratorsSid);
  return own.sid;
}

}  // namespace

Result<PipeSecurity> PipeSecurity::Make(const ListenOptions& options) {
  auto own = ReadOwnFacts();
  if (!own) return Error(std::move(own).error());
  PipeSecurity security;
  Policy& policy = security.policy_;
  policy.mode = options.mode;
  policy.own = std::move(*own);
  policy.owner_sid = policy.own.sid;
  auto pipe_owner =
      options.owner.empty() ? DefaultOwner(policy.own) : FindAccount("user", options.owner);
  if (!pipe_owner) return Error(std::move(pipe_owner).error());
  if (!options.owner.empty()) policy.owner_sid = *pipe_owner;
  if (!options.group.empty()) {
    auto group = FindAccount("group", options.group);
    if (!group) return Error(std::move(group).error());
    policy.group_sid = std::move(*group);
  }
  const auto sddl = PipeSddl(policy, *pipe_owner);
  if (!sddl) return Error(sddl.error());
  const auto text = ToWide(*sddl);
  if (!text) return Error(text.error());
  void* descriptor = nullptr;
  if (ConvertStringSecurityDescriptorToSecurityDescriptorW(text->c_str(), SDDL_REVISION_1,
                                                           &descriptor, nullptr) == 0) {
    return Error(SystemStatus("cannot make the security descriptor " + *sddl, GetLastError()));
  }
  security.descriptor_.reset(descriptor);
  return security;
}

SECURITY_ATTRIBUTES PipeSecurity::attributes() const {
  return {sizeof(SECURITY_ATTRIBUTES), descriptor_.get(), FALSE};
}

std::optional<std::string> OwnerOfPipe(const OsHandle& pipe) {
  void* owner = nullptr;
  void* descriptor = nullptr;
  if (GetSecurityInfo(pipe.get(), SE_KERNEL_OBJECT, OWNER_SECURITY_INFORMATION, &owner, nullptr,
                      nullptr, nullptr, &descriptor) != ERROR_SUCCESS) {
    return std::nullopt;
  }
  std::string text = owner == nullptr ? std::string() : SidText(owner);
  LocalFree(descriptor);
  return text.empty() ? std::nullopt : std::optional(std::move(text));
}

}  // namespace lwmsg::internal
