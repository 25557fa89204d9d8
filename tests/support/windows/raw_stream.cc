#include "tests/support/raw_stream.h"

#include <gtest/gtest.h>
#include <windows.h>

#include <array>
#include <deque>

namespace lwmsg::test {
namespace {

bool IsHangUp(DWORD error) {
  return error == ERROR_BROKEN_PIPE || error == ERROR_NO_DATA || error == ERROR_PIPE_NOT_CONNECTED;
}

// One read or write that need not be done at once. Must not go while it is under way.
struct Operation {
  explicit Operation(std::string_view what)
      : event(CreateEventW(nullptr, TRUE, FALSE, nullptr)), bytes(what) {
    overlapped.hEvent = event.get();
  }

  OVERLAPPED overlapped{};
  OsHandle event;
  std::string bytes;
};

}  // namespace

struct RawStream::State {
  explicit State(OsHandle own) : end(std::move(own)) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { Close(); }

  void ForgetWhatIsDone() {
    while (!writes.empty() && HasOverlappedIoCompleted(&writes.front()->overlapped)) {
      writes.pop_front();
    }
  }
  void Close() {
    for (const auto& write : writes) {
      DWORD size = 0;
      CancelIoEx(end.get(), &write->overlapped);
      GetOverlappedResult(end.get(), &write->overlapped, &size, TRUE);
    }
    writes.clear();
    end.Close();
  }

  OsHandle end;
  // Of more than the pipe holds; in order.
  std::deque<std::unique_ptr<Operation>> writes;
};

RawStream::RawStream(OsHandle end) : state_(std::make_unique<State>(std::move(end))) {}
RawStream::RawStream(RawStream&& other) noexcept = default;
RawStream& RawStream::operator=(RawStream&& other) noexcept = default;
RawStream::~RawStream() = default;

std::optional<RawStream> RawStream::ConnectTo(const std::string& endpoint) {
  constexpr std::string_view kPipe = "pipe:";
  EXPECT_TRUE(endpoint.starts_with(kPipe)) << endpoint;
  // The names of tests are ASCII.
  const std::wstring name =
      L"\\\\.\\pipe\\" + std::wstring(endpoint.begin() + kPipe.size(), endpoint.end());
  const HANDLE pipe =
      CreateFileW(name.c_str(), GENERIC_READ | GENERIC_WRITE, 0, nullptr, OPEN_EXISTING,
                  FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION, nullptr);
  if (pipe != INVALID_HANDLE_VALUE) return RawStream(OsHandle(pipe));
  const DWORD error = GetLastError();
  EXPECT_EQ(error, static_cast<DWORD>(ERROR_PIPE_BUSY)) << endpoint;
  return std::nullopt;
}

bool RawStream::Write(std::string_view bytes) {
  state_->ForgetWhatIsDone();
  if (bytes.empty()) return true;
  auto write = std::make_unique<Operation>(bytes);
  if (!WriteFile(state_->end.get(), write->bytes.data(), static_cast<DWORD>(bytes.size()), nullptr,
                 &write->overlapped)) {
    const DWORD error = GetLastError();
    if (IsHangUp(error)) return false;
    EXPECT_EQ(error, static_cast<DWORD>(ERROR_IO_PENDING));
    if (error != ERROR_IO_PENDING) return false;
  }
  state_->writes.push_back(std::move(write));
  return true;
}

bool RawStream::Read(std::string& bytes) {
  state_->ForgetWhatIsDone();
  while (true) {
    Operation read(std::string(64 << 10, '\0'));
    DWORD size = 0;
    BOOL done = ReadFile(state_->end.get(), read.bytes.data(),
                         static_cast<DWORD>(read.bytes.size()), nullptr, &read.overlapped);
    DWORD error = done ? ERROR_SUCCESS : GetLastError();
    if (error == ERROR_IO_PENDING) CancelIoEx(state_->end.get(), &read.overlapped);
    if (error == ERROR_IO_PENDING || done) {
      done = GetOverlappedResult(state_->end.get(), &read.overlapped, &size, TRUE);
      error = done ? ERROR_SUCCESS : GetLastError();
    }
    if (error == ERROR_OPERATION_ABORTED) return true;
    EXPECT_TRUE(done || IsHangUp(error)) << "error " << error;
    if (!done) return false;
    bytes.append(read.bytes.data(), size);
  }
}

void RawStream::Close() { state_->Close(); }

const OsHandle& RawStream::end() const { return state_->end; }

}  // namespace lwmsg::test
