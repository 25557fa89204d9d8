#include "access.h"

// clang-format off: in this order.
#include <windows.h>
#include <aclapi.h>
#include <sddl.h>
// clang-format on

#include <memory>

#include "system_error.h"

using lwmsg::OsHandle;
using lwmsg::Status;
using lwmsg::StatusCode;

namespace {

struct LocalFreer {
  void operator()(void* memory) const { LocalFree(memory); }
};
using LocalMemory = std::unique_ptr<void, LocalFreer>;

std::string TextOf(PSID sid) {
  char* text = nullptr;
  if (!ConvertSidToStringSidA(sid, &text)) return "unknown";
  const LocalMemory owned(text);
  return text;
}

// A copy that only answers questions.
OsHandle TokenForQuestions(const lwmsg::Token& caller) {
  HANDLE token = nullptr;
  if (!caller.process().valid() ||
      !OpenProcessToken(caller.process().get(), TOKEN_DUPLICATE | TOKEN_QUERY, &token)) {
    return OsHandle();
  }
  const OsHandle primary(token);
  HANDLE copy = nullptr;
  if (!DuplicateToken(primary.get(), SecurityIdentification, &copy)) return OsHandle();
  return OsHandle(copy);
}

}  // namespace

Status CheckAccess(const lwmsg::Token& caller, const OsHandle& file, unsigned long wanted,
                   const std::string& what) {
  PSID owner = nullptr;
  PSECURITY_DESCRIPTOR descriptor = nullptr;
  const DWORD error = GetSecurityInfo(
      file.get(), SE_FILE_OBJECT,
      OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION, &owner,
      nullptr, nullptr, nullptr, &descriptor);
  if (error != ERROR_SUCCESS) return SystemError("cannot look at the rights to " + what, error);
  const LocalMemory owned(descriptor);
  const std::string refusal =
      "caller " + caller.ToString() + " may not " + what + " (owner " + TextOf(owner) + ")";
  const OsHandle token = TokenForQuestions(caller);
  if (!token.valid()) {
    return Status(StatusCode::kPermissionDenied, refusal + ": its process is unknown or gone");
  }
  GENERIC_MAPPING mapping = {FILE_GENERIC_READ, FILE_GENERIC_WRITE, FILE_GENERIC_EXECUTE,
                             FILE_ALL_ACCESS};
  PRIVILEGE_SET privileges{};
  DWORD size = sizeof(privileges);
  DWORD granted = 0;
  BOOL allowed = FALSE;
  if (!AccessCheck(descriptor, token.get(), wanted, &mapping, &privileges, &size, &granted,
                   &allowed)) {
    return SystemError("cannot check the rights to " + what, GetLastError());
  }
  return allowed ? Status() : Status(StatusCode::kPermissionDenied, refusal);
}
