#include "../null_file.h"

#include <windows.h>

lwmsg::OsHandle NullFile() {
  HANDLE file = CreateFileA("NUL", GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, nullptr,
                            OPEN_EXISTING, 0, nullptr);
  return lwmsg::OsHandle(file == INVALID_HANDLE_VALUE ? lwmsg::OsHandle::kNone : file);
}
