#include "lwmsg/os_handle.h"

// Before <windows.h>, which would bring the first version.
#include <winsock2.h>
// After it.
#include <windows.h>

#include "runtime/platform.h"
#include "runtime/windows/system_status.h"

namespace lwmsg {
namespace {

bool IsSocket(HANDLE handle) {
  if (GetFileType(handle) != FILE_TYPE_PIPE) return false;
  int type = 0;
  int size = sizeof(type);
  return getsockopt(reinterpret_cast<SOCKET>(handle), SOL_SOCKET, SO_TYPE,
                    reinterpret_cast<char*>(&type), &size) == 0;
}

}  // namespace

void OsHandle::Close() {
  if (!valid()) return;
  const Native native = Release();
  // Winsock keeps more than the handle.
  if (IsSocket(native)) {
    closesocket(reinterpret_cast<SOCKET>(native));
  } else {
    CloseHandle(native);
  }
}

Result<OsHandle> OsHandle::Duplicate() const {
  if (!valid()) return Error(StatusCode::kFailedPrecondition, "no handle to duplicate");
  HANDLE copy = nullptr;
  if (DuplicateHandle(GetCurrentProcess(), native_, GetCurrentProcess(), &copy, 0, FALSE,
                      DUPLICATE_SAME_ACCESS) == 0) {
    return Error(internal::SystemStatus("cannot duplicate a handle", GetLastError()));
  }
  return OsHandle(copy);
}

void internal::KeepFromChildren(const OsHandle& handle) {
  SetHandleInformation(handle.get(), HANDLE_FLAG_INHERIT, 0);
}

}  // namespace lwmsg
