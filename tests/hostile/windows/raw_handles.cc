#include "tests/hostile/windows/raw_handles.h"

#include <gtest/gtest.h>
#include <windows.h>

#include <span>

#include "tests/hostile/raw_frames.h"

namespace lwmsg::test {
namespace {

constexpr DWORD kLongestWaitMs = 10'000;

// Until there is something to read, or the other side has hung up. False if neither happens.
bool AwaitData(const OsHandle& pipe) {
  const OsHandle event = MakeEvent();
  OVERLAPPED overlapped{};
  overlapped.hEvent = event.get();
  if (ReadFile(pipe.get(), nullptr, 0, nullptr, &overlapped)) return true;
  if (GetLastError() != ERROR_IO_PENDING) return true;
  const bool done = WaitForSingleObject(event.get(), kLongestWaitMs) == WAIT_OBJECT_0;
  if (!done) CancelIoEx(pipe.get(), &overlapped);
  DWORD size = 0;
  GetOverlappedResult(pipe.get(), &overlapped, &size, TRUE);
  return done;
}

}  // namespace

OsHandle::Native ToNative(uint64_t number) {
  return reinterpret_cast<HANDLE>(static_cast<uintptr_t>(number));
}

std::string RecordBytes(const std::vector<HandleRecord>& records) {
  std::vector<std::byte> bytes;
  for (const HandleRecord& record : records) internal::AppendRecord(record, bytes);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string ControlFrame(const HandleRecord& record) {
  return FrameAround("", 1) + RecordBytes({record});
}

std::string FilesReplyFrame(uint32_t id, const std::vector<HandleRecord>& records) {
  const auto count = static_cast<uint16_t>(records.size());
  const std::string frame = ReplyFrame(
      id,
      [&](auto results) {
        auto items = results.template initAs<sample::Sample::CollectResults>().initItems(count);
        for (uint16_t i = 0; i < count; ++i) items[i].getFile().setSlot(i + 1);
      },
      count);
  return frame + RecordBytes(records);
}

OsHandle MakeEvent() { return OsHandle(CreateEventW(nullptr, TRUE, FALSE, nullptr)); }

OsHandle MakeSection(size_t bytes, uint32_t protection) {
  return OsHandle(CreateFileMappingW(INVALID_HANDLE_VALUE, nullptr,
                                     protection == 0 ? PAGE_READWRITE : protection, 0,
                                     static_cast<DWORD>(bytes), nullptr));
}

std::vector<std::pair<uint32_t, OsHandle>> PowersOverProcesses() {
  HANDLE token = nullptr;
  EXPECT_TRUE(OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token));
  std::vector<std::pair<uint32_t, OsHandle>> handles;
  const auto add = [&](uint32_t kind, HANDLE handle) {
    EXPECT_NE(handle, nullptr) << kind;
    handles.emplace_back(kind, OsHandle(handle));
  };
  add(kProcess, OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, GetCurrentProcessId()));
  add(kThread, OpenThread(SYNCHRONIZE, FALSE, GetCurrentThreadId()));
  add(kToken, token);
  add(kJob, CreateJobObjectW(nullptr, nullptr));
  return handles;
}

std::vector<uint64_t> PseudoValues() {
  std::vector<uint64_t> values = {0};
  for (int64_t i = 1; i <= 12; ++i) {
    values.push_back(static_cast<uint64_t>(-i));
    values.push_back(static_cast<uint32_t>(-i));
  }
  return values;
}

LedgerView::LedgerView(const OsHandle& section)
    : words_(static_cast<std::atomic<uint64_t>*>(
          MapViewOfFile(section.get(), FILE_MAP_WRITE, 0, 0, kLedgerBytes))) {
  EXPECT_NE(words_, nullptr);
}

LedgerView::~LedgerView() { UnmapViewOfFile(words_); }

bool HasRecord(const RawPeer& peer, size_t i) {
  return peer.records().size() >= (i + 1) * internal::kHandleRecordBytes;
}

HandleRecord RecordOf(const RawPeer& peer, size_t i) {
  constexpr size_t kBytes = internal::kHandleRecordBytes;
  if (!HasRecord(peer, i)) return {};
  const auto bytes = std::as_bytes(std::span(peer.records()));
  return internal::ParseRecord(bytes.subspan(i * kBytes).first<kBytes>());
}

HandleRecord AwaitRecord(RawPeer& peer, size_t i) {
  peer.Read();
  while (!HasRecord(peer, i) && !peer.ended() && AwaitData(peer.end())) peer.Read();
  return RecordOf(peer, i);
}

void AwaitEnd(RawPeer& peer) {
  peer.Read();
  while (!peer.ended() && AwaitData(peer.end())) peer.Read();
}

}  // namespace lwmsg::test
