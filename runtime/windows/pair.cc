#include "lwmsg/pair.h"

#include <windows.h>

#include <array>
#include <charconv>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string_view>
#include <utility>

#include "runtime/platform.h"
#include "runtime/windows/pair_peer.h"
#include "runtime/windows/pipe_name.h"
#include "runtime/windows/security.h"
#include "runtime/windows/system_status.h"
#include "runtime/windows/wide_text.h"

namespace lwmsg {
namespace {

constexpr const wchar_t* kPairVariable = L"LWMSG_PAIR_HANDLE";
constexpr const char* kPairVariableText = "LWMSG_PAIR_HANDLE";
constexpr DWORD kPipeBufferBytes = 64 << 10;

// Which end of which pair. The name is random and used once.
std::pair<std::wstring, bool> KeyOf(const OsHandle& end) {
  DWORD flags = 0;
  GetNamedPipeInfo(end.get(), &flags, nullptr, nullptr, nullptr);
  return {internal::NameOfPipe(end), (flags & PIPE_SERVER_END) != 0};
}

// Who is at the other end of pairs that this process made, until the end is adopted. Holds no
// process open: by the time at which it began, it is known again.
struct PairPeers {
  struct Peer {
    uint32_t pid;
    uint64_t created;
  };
  std::mutex mutex;
  std::map<std::pair<std::wstring, bool>, Peer> by_end;  // Guarded by mutex.

  void Add(const OsHandle& end, Peer peer) {
    const std::lock_guard lock(mutex);
    by_end[KeyOf(end)] = peer;
  }
  std::optional<Peer> Take(const OsHandle& end) {
    const std::lock_guard lock(mutex);
    auto found = by_end.extract(KeyOf(end));
    if (found.empty()) return std::nullopt;
    return found.mapped();
  }
};

PairPeers& AllPairPeers() {
  static auto& peers = *new PairPeers;  // Outlives what goes at exit.
  return peers;
}

// As CommandLineToArgvW and the C runtime take it apart again.
void AppendQuoted(std::wstring_view argument, std::wstring& line) {
  if (!line.empty()) line += L' ';
  line += L'"';
  size_t backslashes = 0;
  for (const wchar_t c : argument) {
    // Backslashes count for themselves, but twice before a quote.
    if (c == L'"') line.append(backslashes + 1, L'\\');
    backslashes = c == L'\\' ? backslashes + 1 : 0;
    line += c;
  }
  line.append(backslashes, L'\\');
  line += L'"';
}

Result<std::wstring> CommandLine(const std::vector<std::string>& argv) {
  std::wstring line;
  for (const std::string& argument : argv) {
    auto wide = internal::ToWide(argument);
    if (!wide) return wide;
    AppendQuoted(*wide, line);
  }
  return line;
}

// This process's environment with the number of the child's end.
std::wstring ChildEnvironment(HANDLE end) {
  const std::wstring prefix = std::wstring(kPairVariable) + L"=";
  std::wstring block;
  wchar_t* own = GetEnvironmentStringsW();
  for (const wchar_t* entry = own; entry != nullptr && *entry != L'\0';
       entry += std::wcslen(entry) + 1) {
    const std::wstring_view text(entry);
    if (!text.starts_with(prefix)) block.append(text).push_back(L'\0');
  }
  FreeEnvironmentStringsW(own);
  block += prefix + std::to_wstring(reinterpret_cast<uintptr_t>(end));
  block.append(2, L'\0');
  return block;
}

// What a child inherits: these and no others, whatever other threads start meanwhile.
class Inheritance {
 public:
  explicit Inheritance(HANDLE end) {
    Add(end);
    for (const DWORD which : {STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE}) {
      const HANDLE standard = GetStdHandle(which);
      if (standard == nullptr || standard == INVALID_HANDLE_VALUE) continue;
      DWORD flags = 0;
      // One that may not be inherited would make the whole call fail.
      const bool inherits =
          GetHandleInformation(standard, &flags) != 0 && (flags & HANDLE_FLAG_INHERIT) != 0;
      if (inherits) Add(standard);
    }
    SIZE_T bytes = 0;
    InitializeProcThreadAttributeList(nullptr, 1, 0, &bytes);
    memory_.resize(bytes);
    list_ = reinterpret_cast<LPPROC_THREAD_ATTRIBUTE_LIST>(memory_.data());
    InitializeProcThreadAttributeList(list_, 1, 0, &bytes);
    UpdateProcThreadAttribute(list_, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, handles_.data(),
                              count_ * sizeof(HANDLE), nullptr, nullptr);
  }
  Inheritance(const Inheritance&) = delete;
  Inheritance& operator=(const Inheritance&) = delete;
  ~Inheritance() { DeleteProcThreadAttributeList(list_); }

  LPPROC_THREAD_ATTRIBUTE_LIST list() { return list_; }

 private:
  void Add(HANDLE handle) {
    for (size_t i = 0; i < count_; ++i) {
      if (handles_[i] == handle) return;
    }
    handles_[count_++] = handle;
  }

  std::array<HANDLE, 4> handles_{};
  size_t count_ = 0;
  std::vector<std::byte> memory_;
  LPPROC_THREAD_ATTRIBUTE_LIST list_ = nullptr;
};

}  // namespace

Result<std::pair<OsHandle, OsHandle>> MakePair() {
  auto name = internal::RandomPipeName();
  if (!name) return Error(std::move(name).error());
  auto security = internal::PipeSecurity::Make({});
  if (!security) return Error(std::move(security).error());
  SECURITY_ATTRIBUTES attributes = security->attributes();
  OsHandle server(CreateNamedPipeW(
      name->c_str(), PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | FILE_FLAG_FIRST_PIPE_INSTANCE,
      PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS, 1,
      kPipeBufferBytes, kPipeBufferBytes, 0, &attributes));
  if (!server.valid())
    return Error(internal::SystemStatus("cannot make a pair of pipes", GetLastError()));
  OsHandle client(CreateFileW(name->c_str(), GENERIC_READ | GENERIC_WRITE, 0, nullptr,
                              OPEN_EXISTING, FILE_FLAG_OVERLAPPED, nullptr));
  if (!client.valid())
    return Error(internal::SystemStatus("cannot make a pair of pipes", GetLastError()));
  // Somebody else may have been quicker.
  ULONG pid = 0;
  if (GetNamedPipeClientProcessId(server.get(), &pid) == 0 || pid != GetCurrentProcessId()) {
    return Error(StatusCode::kPermissionDenied,
                 "process " + std::to_string(pid) + " took an end of a pair of pipes");
  }
  return std::pair(std::move(server), std::move(client));
}

Status SetPairPeer(const OsHandle& end, uint32_t pid) {
  auto peer = internal::OpenPeer(pid);
  if (!peer) return std::move(peer).error();
  AllPairPeers().Add(end, {pid, peer->created});
  return Status();
}

Result<Child> SpawnWithPair(const std::vector<std::string>& argv) {
  if (argv.empty()) {
    return Error(StatusCode::kInvalidArgument, "no program to start: argv is empty");
  }
  auto line = CommandLine(argv);
  if (!line) return Error(std::move(line).error());
  auto pair = MakePair();
  if (!pair) return Error(std::move(pair).error());
  const HANDLE end = pair->second.get();
  SetHandleInformation(end, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
  std::wstring environment = ChildEnvironment(end);
  Inheritance inheritance(end);
  STARTUPINFOEXW startup{};
  startup.StartupInfo.cb = sizeof(startup);
  startup.lpAttributeList = inheritance.list();
  PROCESS_INFORMATION started{};
  if (CreateProcessW(nullptr, line->data(), nullptr, nullptr, TRUE,
                     EXTENDED_STARTUPINFO_PRESENT | CREATE_UNICODE_ENVIRONMENT, environment.data(),
                     nullptr, &startup.StartupInfo, &started) == 0) {
    const DWORD error = GetLastError();
    Status failed = internal::SystemStatus("cannot start " + argv[0], error);
    // As execve(2) says of a file that is no program.
    if (error == ERROR_BAD_EXE_FORMAT) {
      failed = Status(StatusCode::kPermissionDenied, failed.message());
    }
    return Error(std::move(failed));
  }
  CloseHandle(started.hThread);
  Child child;
  child.pid = started.dwProcessId;
  child.process = OsHandle(started.hProcess);
  child.channel = std::move(pair->first);
  // While its handle is held the pid is its own, even if it has ended; then nobody is there.
  static_cast<void>(SetPairPeer(child.channel, child.pid));
  return child;
}

Result<OsHandle> TakeInheritedPair() {
  std::array<wchar_t, 32> value{};
  const DWORD length = GetEnvironmentVariableW(kPairVariable, value.data(), value.size());
  if (length == 0) {
    return Error(StatusCode::kFailedPrecondition,
                 std::string("this process inherited no pair: ") + kPairVariableText +
                     " is not set; start it by lwmsg::SpawnWithPair");
  }
  const std::string text =
      length < value.size() ? internal::ToUtf8({value.data(), length}) : "(too long)";
  SetEnvironmentVariableW(kPairVariable, nullptr);
  uintptr_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool valid = error == std::errc() && end == text.data() + text.size() && number != 0;
  const HANDLE handle = reinterpret_cast<HANDLE>(number);
  if (!valid || GetFileType(handle) != FILE_TYPE_PIPE ||
      SetHandleInformation(handle, HANDLE_FLAG_INHERIT, 0) == 0) {
    return Error(StatusCode::kFailedPrecondition,
                 std::string(kPairVariableText) + "=" + text + " names no open pipe");
  }
  return OsHandle(handle);
}

namespace internal {

PeerProcess PeerOfPair(const OsHandle& end, bool server_end) {
  if (const auto known = AllPairPeers().Take(end)) {
    auto peer = OpenPeer(known->pid);
    return peer && peer->created == known->created ? std::move(*peer) : PeerProcess();
  }
  ULONG pid = 0;
  auto* const ask = server_end ? GetNamedPipeClientProcessId : GetNamedPipeServerProcessId;
  // Both ends of a pair name its maker, whoever has the other end by now.
  if (ask(end.get(), &pid) == 0 || pid == GetCurrentProcessId()) return PeerProcess();
  auto peer = OpenPeer(pid);
  if (!peer) return PeerProcess();
  PeerFacts facts = peer->Facts();
  facts.pid_before = pid;
  ULONG again = 0;
  if (ask(end.get(), &again) != 0) facts.pid_after = again;
  // Of an inherited end the maker was there before this process.
  if (const auto own = OpenPeer(GetCurrentProcessId())) facts.connected = own->created;
  return CheckSameProcess(facts).ok() ? std::move(*peer) : PeerProcess();
}

}  // namespace internal
}  // namespace lwmsg
