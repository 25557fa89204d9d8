#include "runtime/windows/handle_door.h"

// Before <windows.h>, which would bring the first version.
#include <winsock2.h>
// After it.
#include <windows.h>
// After both.
#include <winternl.h>

#include <array>
#include <string>
#include <utility>

#include "runtime/windows/ntdll.h"
#include "runtime/windows/system_status.h"
#include "runtime/windows/wide_text.h"

namespace lwmsg::internal {
namespace {

using Value = HandleDoor::Value;

// More slots than a pipe's buffer and a read of it can hold records.
constexpr size_t kLedgerBytes = 64 << 10;

// NtQuerySection(SectionBasicInformation); not in mingw's headers.
struct SectionBasicInformation {
  void* base_address;
  ULONG attributes;
  LARGE_INTEGER size;
};
constexpr ULONG kSecFile = 0x800000;
constexpr ULONG kSecImage = 0x1000000;
constexpr ULONG kSecReserve = 0x4000000;
constexpr ULONG kSecCommit = 0x8000000;

HANDLE ToHandle(Value value) { return reinterpret_cast<HANDLE>(static_cast<uintptr_t>(value)); }
Value ToValue(HANDLE handle) { return reinterpret_cast<uintptr_t>(handle); }

Status Malformed(std::string text) { return Status(StatusCode::kMalformed, std::move(text)); }

// "File", "Section"...; empty for what is no handle.
std::wstring TypeOf(HANDLE handle) {
  static auto* const query = FromNtdll<decltype(NtQueryObject)>("NtQueryObject");
  alignas(void*) std::array<std::byte, 1024> buffer{};
  if (query(handle, ObjectTypeInformation, buffer.data(), buffer.size(), nullptr) != 0) return {};
  const auto* name = reinterpret_cast<const UNICODE_STRING*>(buffer.data());
  return {name->Buffer, name->Length / sizeof(wchar_t)};
}

Result<HandleKind> KindOfFile(HANDLE handle) {
  if (GetFileType(handle) != FILE_TYPE_PIPE) return HandleKind::kFile;
  int type = 0;
  int size = sizeof(type);
  const bool socket = getsockopt(reinterpret_cast<SOCKET>(handle), SOL_SOCKET, SO_TYPE,
                                 reinterpret_cast<char*>(&type), &size) == 0;
  return socket ? HandleKind::kSocket : HandleKind::kPipe;
}

// A view of a section, for as long as it lives.
class View {
 public:
  View() = default;
  View(HANDLE section, size_t bytes)
      : memory_(MapViewOfFile(section, FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, bytes)) {}
  View(View&& other) noexcept : memory_(std::exchange(other.memory_, nullptr)) {}
  View& operator=(View&& other) noexcept {
    std::swap(memory_, other.memory_);
    return *this;
  }
  ~View() {
    if (memory_ != nullptr) UnmapViewOfFile(memory_);
  }
  void* get() const { return memory_; }

 private:
  void* memory_ = nullptr;
};

OsHandle NewSection(size_t bytes) {
  return OsHandle(CreateFileMappingW(INVALID_HANDLE_VALUE, nullptr, PAGE_READWRITE, 0,
                                     static_cast<DWORD>(bytes), nullptr));
}

// Of a section that a peer made: memory that is there whatever its maker does, or does not, put
// behind it. A file can be on a disk that fails, and pages that are only reserved are not there.
bool IsSoundSection(HANDLE section, size_t bytes) {
  using Query = LONG WINAPI(HANDLE, int, void*, SIZE_T, SIZE_T*);
  static auto* const query = FromNtdll<Query>("NtQuerySection");
  SectionBasicInformation information{};
  if (TypeOf(section) != L"Section") return false;
  if (query(section, 0, &information, sizeof(information), nullptr) != 0) return false;
  const bool committed = (information.attributes & kSecCommit) != 0 &&
                         (information.attributes & (kSecFile | kSecImage | kSecReserve)) == 0;
  return committed && information.size.QuadPart >= static_cast<int64_t>(bytes);
}

class WindowsDoor final : public HandleDoor {
 public:
  explicit WindowsDoor(OsHandle process) : process_(std::move(process)) {}

  Result<HandleKind> KindOf(Value own) override {
    const HANDLE handle = ToHandle(own);
    const std::wstring type = TypeOf(handle);
    if (type.empty()) return Error(Malformed(std::to_string(own) + " is no OS handle"));
    if (type == L"File") return KindOfFile(handle);
    constexpr std::pair<const wchar_t*, HandleKind> kKinds[] = {
        {L"Section", HandleKind::kSection}, {L"Event", HandleKind::kEvent},
        {L"Mutant", HandleKind::kMutex},    {L"Semaphore", HandleKind::kSemaphore},
        {L"Timer", HandleKind::kTimer},     {L"Key", HandleKind::kKey},
    };
    for (const auto& [name, kind] : kKinds) {
      if (type == name) return kind;
    }
    return Error(StatusCode::kPermissionDenied,
                 "an OS handle of type " + ToUtf8(type) +
                     " is not passed; only files, pipes, sockets, sections, registry keys, events, "
                     "mutexes, semaphores and timers are");
  }

  void Close(Value own) override { OsHandle(ToHandle(own)).Close(); }

  // Winsock opens what it describes itself, of this process's own handle.
  Result<Value> AdoptSocket(Value own) override {
    const OsHandle raw(ToHandle(own));
    WSADATA data;
    // Counted by Winsock; like libuv's it lasts until the process ends.
    static const int started = WSAStartup(MAKEWORD(2, 2), &data);
    static_cast<void>(started);
    WSAPROTOCOL_INFOW information{};
    const bool described =
        WSADuplicateSocketW(static_cast<SOCKET>(own), GetCurrentProcessId(), &information) == 0;
    const SOCKET socket =
        described ? WSASocketW(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO,
                               &information, 0, WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT)
                  : INVALID_SOCKET;
    OsHandle adopted(reinterpret_cast<HANDLE>(socket));
    const auto kind = KindOf(ToValue(adopted.get()));
    if (!kind || *kind != HandleKind::kSocket) {
      return Error(Malformed("the peer passes as a socket what is none"));
    }
    return ToValue(adopted.Release());
  }

  Result<Value> Pull(Value their) override {
    HANDLE own = nullptr;
    if (DuplicateHandle(process_.get(), ToHandle(their), GetCurrentProcess(), &own, 0, FALSE,
                        DUPLICATE_SAME_ACCESS) == 0) {
      const DWORD error = GetLastError();
      if (HasEnded()) return Error(StatusCode::kUnavailable, "the peer has ended");
      return Error(Malformed(
          SystemStatus("cannot duplicate handle " + std::to_string(their) + " of the peer", error)
              .message()));
    }
    return ToValue(own);
  }

  Status Push(Value own, std::atomic<Value>& their) override {
    static_assert(sizeof(their) == sizeof(HANDLE));
    // The system itself puts the number there.
    if (DuplicateHandle(GetCurrentProcess(), ToHandle(own), process_.get(),
                        reinterpret_cast<HANDLE*>(&their), 0, FALSE, DUPLICATE_SAME_ACCESS) == 0) {
      const DWORD error = GetLastError();
      if (HasEnded()) return Status(StatusCode::kUnavailable, "the peer has ended");
      return SystemStatus("cannot duplicate a handle into the peer", error);
    }
    return Status();
  }

  // Pulled and closed: a duplicate to nowhere that only closes its source leaves it open in Wine 8.
  void CloseTheirs(Value their) override {
    HANDLE own = nullptr;
    if (DuplicateHandle(process_.get(), ToHandle(their), GetCurrentProcess(), &own, 0, FALSE,
                        DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE) != 0) {
      CloseHandle(own);
    }
  }

  Result<Value> MakeLedger() override {
    OsHandle section = NewSection(kLedgerBytes);
    view_ = View(section.get(), kLedgerBytes);
    if (view_.get() == nullptr) {
      return Error(SystemStatus("cannot make memory for OS handles", GetLastError()));
    }
    return ToValue(section.Release());
  }

  Status OpenLedger(Value their) override {
    const Status denied(StatusCode::kPermissionDenied,
                        "this process may not duplicate handles of the peer");
    if (!process_.valid()) return denied;
    auto pulled = Pull(their);
    if (!pulled) return denied;
    const OsHandle section(ToHandle(*pulled));
    if (!IsSoundSection(section.get(), kLedgerBytes)) return denied;
    View view(section.get(), kLedgerBytes);
    if (view.get() == nullptr) return denied;
    view_ = std::move(view);
    return Status();
  }

  std::span<std::atomic<Value>> ledger() override {
    if (view_.get() == nullptr) return {};
    return {static_cast<std::atomic<Value>*>(view_.get()), kLedgerBytes / sizeof(Value)};
  }

 private:
  bool HasEnded() const { return WaitForSingleObject(process_.get(), 0) == WAIT_OBJECT_0; }

  OsHandle process_;  // With the right to duplicate; or none.
  View view_;
};

}  // namespace

std::unique_ptr<HandleDoor> MakeHandleDoor(const PeerProcess& peer) {
  OsHandle process;
  if (peer.may_duplicate) {
    if (auto copy = peer.process.Duplicate()) process = std::move(*copy);
  }
  return std::make_unique<WindowsDoor>(std::move(process));
}

}  // namespace lwmsg::internal
