#include "runtime/windows/handle_door.h"

// Before <windows.h>, which would bring the first version.
#include <winsock2.h>
// After it.
#include <windows.h>

#include <string>
#include <utility>

#include "runtime/windows/handle_type.h"
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

constexpr std::pair<const wchar_t*, HandleKind> kKinds[] = {
    {L"File", HandleKind::kFile},
    {L"Section", HandleKind::kSection},
    {L"Event", HandleKind::kEvent},
    {L"Mutant", HandleKind::kMutex},
    {L"Semaphore", HandleKind::kSemaphore},
    {L"Timer", HandleKind::kTimer},
    {L"Key", HandleKind::kKey},
    {L"Process", HandleKind::kProcess},
    {L"Thread", HandleKind::kThread},
    {L"Token", HandleKind::kToken},
    {L"Job", HandleKind::kJob},
};

HANDLE ToHandle(Value value) { return reinterpret_cast<HANDLE>(static_cast<uintptr_t>(value)); }

Status Malformed(std::string text) { return Status(StatusCode::kMalformed, std::move(text)); }

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
  if (HandleType(section) != L"Section") return false;
  if (query(section, 0, &information, sizeof(information), nullptr) != 0) return false;
  const bool committed = (information.attributes & kSecCommit) != 0 &&
                         (information.attributes & (kSecFile | kSecImage | kSecReserve)) == 0;
  return committed && information.size.QuadPart >= static_cast<int64_t>(bytes);
}

class WindowsDoor final : public HandleDoor {
 public:
  explicit WindowsDoor(OsHandle process) : process_(std::move(process)) {}

  Result<HandleKind> KindOf(const OsHandle& own) override {
    if (own.is_socket()) return HandleKind::kSocket;
    const std::wstring type = HandleType(own.get());
    if (type.empty()) {
      return Error(Malformed(std::to_string(ValueOf(own)) + " is no OS handle"));
    }
    for (const auto& [name, kind] : kKinds) {
      if (type == name) return kind;
    }
    return Error(StatusCode::kPermissionDenied,
                 "an OS handle of type " + ToUtf8(type) +
                     " is not passed; only files, pipes, sockets, sections, registry keys, events, "
                     "mutexes, semaphores, timers, processes, threads, tokens and jobs are");
  }

  void Close(OsHandle own) override { own.Close(); }

  // Winsock opens what it describes itself, of this process's own handle.
  Result<OsHandle> AdoptSocket(OsHandle own) override {
    WSADATA data;
    // Counted by Winsock; like libuv's it lasts until the process ends.
    static const int started = WSAStartup(MAKEWORD(2, 2), &data);
    static_cast<void>(started);
    WSAPROTOCOL_INFOW information{};
    int type = 0;
    int size = sizeof(type);
    if (WSADuplicateSocketW(reinterpret_cast<SOCKET>(own.get()), GetCurrentProcessId(),
                            &information) == 0) {
      const SOCKET socket =
          WSASocketW(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &information, 0,
                     WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
      OsHandle adopted = OsHandle::OfSocket(socket);
      if (adopted.valid() &&
          getsockopt(socket, SOL_SOCKET, SO_TYPE, reinterpret_cast<char*>(&type), &size) == 0) {
        return adopted;
      }
    }
    return Error(Malformed("the peer passes as a socket what is none"));
  }

  Result<OsHandle> Pull(Value their) override {
    HANDLE own = nullptr;
    if (DuplicateHandle(process_.get(), ToHandle(their), GetCurrentProcess(), &own, 0, FALSE,
                        DUPLICATE_SAME_ACCESS) == 0) {
      const DWORD error = GetLastError();
      if (HasEnded()) return Error(StatusCode::kUnavailable, "the peer has ended");
      return Error(Malformed(
          SystemStatus("cannot duplicate handle " + std::to_string(their) + " of the peer", error)
              .message()));
    }
    return OsHandle(own);
  }

  Status Push(const OsHandle& own, std::atomic<Value>& their) override {
    static_assert(sizeof(their) == sizeof(HANDLE));
    // The system itself puts the number there.
    if (DuplicateHandle(GetCurrentProcess(), own.get(), process_.get(),
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

  Result<OsHandle> MakeLedger() override {
    OsHandle section = NewSection(kLedgerBytes);
    view_ = View(section.get(), kLedgerBytes);
    if (view_.get() == nullptr) {
      return Error(SystemStatus("cannot make memory for OS handles", GetLastError()));
    }
    return section;
  }

  Status OpenLedger(Value their, Value nonce) override {
    const Status denied(StatusCode::kPermissionDenied,
                        "this process may not duplicate handles of the peer");
    if (!process_.valid()) return denied;
    auto section = Pull(their);
    if (!section || !IsSoundSection(section->get(), kLedgerBytes)) return denied;
    View view(section->get(), kLedgerBytes);
    if (view.get() == nullptr || Words(view)[kNonceWord] != nonce) return denied;
    view_ = std::move(view);
    return Status();
  }

  std::span<std::atomic<Value>> ledger() override {
    if (view_.get() == nullptr) return {};
    return {Words(view_), kLedgerBytes / sizeof(Value)};
  }

 private:
  static std::atomic<Value>* Words(const View& view) {
    return static_cast<std::atomic<Value>*>(view.get());
  }
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
