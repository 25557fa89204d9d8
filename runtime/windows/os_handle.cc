#include "lwmsg/os_handle.h"

// Before <windows.h>, which would bring the first version.
#include <winsock2.h>
// After it.
#include <windows.h>

#include <cstdint>

#include "runtime/platform.h"
#include "runtime/windows/handle_type.h"
#include "runtime/windows/system_status.h"

namespace lwmsg {
namespace {

// By Winsock: what DuplicateHandle makes is no socket to it.
OsHandle DuplicateSocket(SOCKET socket) {
  WSAPROTOCOL_INFOW information{};
  if (WSADuplicateSocketW(socket, GetCurrentProcessId(), &information) != 0) return OsHandle();
  return OsHandle::OfSocket(WSASocketW(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO,
                                       &information, 0,
                                       WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT));
}

}  // namespace

// Some 16 million (Windows Internals), which memory ends first.
size_t internal::MostHandles() { return SIZE_MAX; }

void internal::ReserveHandles(size_t /*count*/) {}

uint32_t internal::OwnPid() { return GetCurrentProcessId(); }

void OsHandle::Close() {
  if (!valid()) return;
  const bool socket = is_socket_;
  const Native native = Release();
  if (socket) {
    closesocket(reinterpret_cast<SOCKET>(native));
  } else {
    CloseHandle(native);
  }
}

Result<OsHandle> OsHandle::Duplicate() const {
  if (!valid()) return Error(StatusCode::kFailedPrecondition, "no handle to duplicate");
  if (is_socket_) {
    OsHandle copy = DuplicateSocket(reinterpret_cast<SOCKET>(native_));
    if (copy.valid()) return copy;
    return Error(internal::SystemStatus("cannot duplicate a socket", GetLastError()));
  }
  HANDLE copy = nullptr;
  if (DuplicateHandle(GetCurrentProcess(), native_, GetCurrentProcess(), &copy, 0, FALSE,
                      DUPLICATE_SAME_ACCESS) == 0) {
    return Error(internal::SystemStatus("cannot duplicate a handle", GetLastError()));
  }
  return OsHandle(copy);
}

bool OsHandle::ControlsProcess() const {
  const std::wstring type = internal::HandleType(native_);
  return type == L"Process" || type == L"Thread" || type == L"Token" || type == L"Job";
}

OsHandle::Description OsHandle::Describe() const {
  if (is_socket_) return {kSocket, true, true};
  const uint32_t access = internal::HandleAccess(native_);
  const bool is_file = internal::HandleType(native_) == L"File";
  return {is_file ? static_cast<uint8_t>(kFile | kDirectory | kPipe | kDevice) : uint8_t{0},
          (access & FILE_READ_DATA) != 0, (access & FILE_WRITE_DATA) != 0};
}

void internal::KeepFromChildren(const OsHandle& handle) {
  SetHandleInformation(handle.get(), HANDLE_FLAG_INHERIT, 0);
}

}  // namespace lwmsg
