#include "tests/support/process.h"

#include <windows.h>

#include <filesystem>
#include <string_view>

#include "tests/support/system.h"
#include "tests/support/windows/abort_unless.h"

namespace lwmsg::test {
namespace {

constexpr DWORD kLongestWaitMs = 20'000;

std::wstring Wide(const std::string& text) { return std::filesystem::path(text).wstring(); }

// As the C library's start-up code takes it apart again (CommandLineToArgvW).
void AppendQuoted(std::wstring& line, std::wstring_view word) {
  if (!line.empty()) line += L' ';
  line += L'"';
  size_t slashes = 0;
  for (const wchar_t c : word) {
    if (c == L'"') line.append(slashes + 1, L'\\');
    slashes = c == L'\\' ? slashes + 1 : 0;
    line += c;
  }
  line.append(slashes, L'\\');
  line += L'"';
}

// A pipe whose reader takes time limits, which those of CreatePipe do not.
OsPipe MakeOverlappedPipe() {
  const std::wstring name = L"\\\\.\\pipe\\" + Wide(NewName());
  OsPipe pipe;
  pipe.reader = OsHandle(CreateNamedPipeW(
      name.c_str(), PIPE_ACCESS_INBOUND | FILE_FLAG_OVERLAPPED | FILE_FLAG_FIRST_PIPE_INSTANCE,
      PIPE_TYPE_BYTE | PIPE_REJECT_REMOTE_CLIENTS, 1, 0, 1 << 16, 0, nullptr));
  AbortUnless(pipe.reader.get() != INVALID_HANDLE_VALUE);
  pipe.writer =
      OsHandle(CreateFileW(name.c_str(), GENERIC_WRITE, 0, nullptr, OPEN_EXISTING, 0, nullptr));
  AbortUnless(pipe.writer.get() != INVALID_HANDLE_VALUE);
  return pipe;
}

// Whose processes end with this one. Made before any test, to be in no test's inventory.
OsHandle MakeJob() {
  OsHandle job(CreateJobObjectW(nullptr, nullptr));
  JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits{};
  limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
  AbortUnless(SetInformationJobObject(job.get(), JobObjectExtendedLimitInformation, &limits,
                                      sizeof(limits)));
  return job;
}
const OsHandle job = MakeJob();

// What a child gets, and nothing else: an attribute of its start.
class InheritedHandles {
 public:
  explicit InheritedHandles(std::vector<HANDLE> handles) : handles_(std::move(handles)) {
    SIZE_T size = 0;
    InitializeProcThreadAttributeList(nullptr, 1, 0, &size);
    space_.resize(size);
    AbortUnless(InitializeProcThreadAttributeList(list(), 1, 0, &size));
    AbortUnless(UpdateProcThreadAttribute(list(), 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST,
                                          handles_.data(), handles_.size() * sizeof(HANDLE),
                                          nullptr, nullptr));
    Mark(HANDLE_FLAG_INHERIT);
  }
  InheritedHandles(const InheritedHandles&) = delete;
  InheritedHandles& operator=(const InheritedHandles&) = delete;
  ~InheritedHandles() {
    Mark(0);
    DeleteProcThreadAttributeList(list());
  }

  LPPROC_THREAD_ATTRIBUTE_LIST list() {
    return reinterpret_cast<LPPROC_THREAD_ATTRIBUTE_LIST>(space_.data());
  }

 private:
  void Mark(DWORD flag) {
    for (const HANDLE handle : handles_) SetHandleInformation(handle, HANDLE_FLAG_INHERIT, flag);
  }

  std::vector<HANDLE> handles_;
  std::vector<char> space_;
};

// Suspended, with what `start` lets it inherit.
PROCESS_INFORMATION Start(const std::wstring& program, std::wstring& line, STARTUPINFOEXW& start) {
  constexpr int kStarts = 3;
  PROCESS_INFORMATION child{};
  for (int i = 1;; ++i) {
    const BOOL started = CreateProcessW(program.c_str(), line.data(), nullptr, nullptr, TRUE,
                                        EXTENDED_STARTUPINFO_PRESENT | CREATE_SUSPENDED, nullptr,
                                        nullptr, &start.StartupInfo, &child);
    // What Wine 8 says when it lost the process before its first instruction: seen once in some
    // thousand starts.
    const bool lost = !started && GetLastError() == ERROR_INTERNAL_ERROR;
    if (!lost || i == kStarts) {
      AbortUnless(started);
      return child;
    }
    std::fprintf(stderr, "a process was lost before it ran; starting it again\n");
  }
}

// So that the child's words about failures are seen. Not valid if this process has none.
OsHandle DuplicateStandardError() {
  HANDLE copy = nullptr;
  DuplicateHandle(GetCurrentProcess(), GetStdHandle(STD_ERROR_HANDLE), GetCurrentProcess(), &copy,
                  0, FALSE, DUPLICATE_SAME_ACCESS);
  return OsHandle(copy);
}

}  // namespace

std::string OwnPath() {
  std::wstring path(MAX_PATH * 4, L'\0');
  path.resize(GetModuleFileNameW(nullptr, path.data(), static_cast<DWORD>(path.size())));
  const std::u8string text = std::filesystem::path(path).u8string();
  return {text.begin(), text.end()};
}

Process::Process(const std::string& role, const Arguments& arguments,
                 const std::vector<HANDLE>& inherited) {
  OsPipe input = MakeOsPipe();
  OsPipe output = MakeOverlappedPipe();
  const OsHandle errors = DuplicateStandardError();
  std::vector<HANDLE> handles = inherited;
  handles.push_back(input.reader.get());
  handles.push_back(output.writer.get());
  if (errors.valid()) handles.push_back(errors.get());
  InheritedHandles inheriting(std::move(handles));
  STARTUPINFOEXW start{};
  start.StartupInfo.cb = sizeof(start);
  start.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
  start.StartupInfo.hStdInput = input.reader.get();
  start.StartupInfo.hStdOutput = output.writer.get();
  start.StartupInfo.hStdError = errors.get();
  start.lpAttributeList = inheriting.list();
  const std::wstring program = Wide(OwnPath());
  std::wstring line;
  AppendQuoted(line, program);
  AppendQuoted(line, Wide("--role=" + role));
  for (const std::string& argument : arguments) AppendQuoted(line, Wide(argument));
  const PROCESS_INFORMATION child = Start(program, line, start);
  AbortUnless(AssignProcessToJobObject(job.get(), child.hProcess));
  ResumeThread(child.hThread);
  CloseHandle(child.hThread);
  pid_ = child.dwProcessId;
  process_ = OsHandle(child.hProcess);
  to_role_ = std::move(input.writer);
  from_role_ = std::move(output.reader);
}

bool Process::ReadMore() {
  const OsHandle event(CreateEventW(nullptr, TRUE, FALSE, nullptr));
  OVERLAPPED overlapped{};
  overlapped.hEvent = event.get();
  std::string bytes(4096, '\0');
  DWORD size = 0;
  if (!ReadFile(from_role_.get(), bytes.data(), static_cast<DWORD>(bytes.size()), nullptr,
                &overlapped)) {
    if (GetLastError() != ERROR_IO_PENDING) return false;
    if (WaitForSingleObject(event.get(), kLongestWaitMs) != WAIT_OBJECT_0) {
      CancelIoEx(from_role_.get(), &overlapped);
    }
  }
  if (!GetOverlappedResult(from_role_.get(), &overlapped, &size, TRUE)) return false;
  unread_.append(bytes.data(), size);
  return true;
}

// The exit code of those that were killed.
constexpr UINT kKilled = 0xDEAD;

void Process::Kill() { TerminateProcess(process_.get(), kKilled); }

int Process::Wait() {
  if (!WaitForEnd(process_)) return -1;
  DWORD code = 0;
  GetExitCodeProcess(process_.get(), &code);
  pid_ = 0;
  return code == kKilled ? -1 : static_cast<int>(code);
}

// A number is given away as soon as nobody holds its process.
Reaper::Reaper(uint32_t pid)
    : pid_(pid), process_(OpenProcess(PROCESS_TERMINATE | SYNCHRONIZE, FALSE, pid)) {}

Reaper::~Reaper() {
  Kill();
  if (process_.valid()) WaitForEnd(process_);
}

void Reaper::Kill() const {
  if (process_.valid()) TerminateProcess(process_.get(), kKilled);
}

// The job sees to it.
void DieWithParent() {}

bool HasEnded(const OsHandle& process) {
  return WaitForSingleObject(process.get(), 0) == WAIT_OBJECT_0;
}
bool WaitForEnd(const OsHandle& process) {
  return WaitForSingleObject(process.get(), kLongestWaitMs) == WAIT_OBJECT_0;
}

std::string NumberOf(const OsHandle& file) {
  return std::to_string(reinterpret_cast<uintptr_t>(file.get()));
}
OsHandle TakeNumber(const std::string& number) {
  return OsHandle(reinterpret_cast<HANDLE>(static_cast<uintptr_t>(std::stoull(number))));
}

}  // namespace lwmsg::test
