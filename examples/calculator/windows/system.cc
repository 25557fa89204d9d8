#include "system.h"

// clang-format off: in this order.
#include <windows.h>
#include <sddl.h>
// clang-format on

#include <string>

namespace {

// "S-1-5-21-...", empty if it cannot be told.
std::string OwnSid() {
  HANDLE opened = nullptr;
  if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &opened)) return "";
  const lwmsg::OsHandle token(opened);
  alignas(TOKEN_USER) char user[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
  DWORD size = 0;
  char* text = nullptr;
  if (!GetTokenInformation(token.get(), TokenUser, user, sizeof(user), &size) ||
      !ConvertSidToStringSidA(reinterpret_cast<TOKEN_USER*>(user)->User.Sid, &text)) {
    return "";
  }
  std::string sid = text;
  LocalFree(text);
  return sid;
}

}  // namespace

bool IsOwnUser(const lwmsg::Token& caller) {
  const std::string own = OwnSid();
  return !own.empty() && caller.sid() == own;
}

lwmsg::OsHandle OpenToRead(const char* path) {
  const HANDLE file =
      CreateFileA(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                  nullptr, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr);
  return file == INVALID_HANDLE_VALUE ? lwmsg::OsHandle() : lwmsg::OsHandle(file);
}

bool Print(const lwmsg::OsHandle& file) {
  char buffer[4096];
  DWORD size = 0;
  while (ReadFile(file.get(), buffer, sizeof(buffer), &size, nullptr)) {
    if (size == 0) return true;
    DWORD written = 0;
    if (!WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), buffer, size, &written, nullptr)) return false;
  }
  return false;
}
