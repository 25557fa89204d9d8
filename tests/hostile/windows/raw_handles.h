#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "lwmsg/os_handle.h"
#include "runtime/handle_record.h"
#include "tests/hostile/raw_peer.h"

// What raw peers need to lie about OS handles.
namespace lwmsg::test {

using internal::HandleRecord;
using internal::ValueOf;

// As on the wire: HandleRecord::what and kinds.
enum What : uint32_t { kPushed = 1, kOffered, kTaken, kAsk, kCannot, kActive, kNone };
constexpr uint32_t kFile = 1;
constexpr uint32_t kEvent = 4;
constexpr uint32_t kSocket = 9;
constexpr uint32_t kProcess = 10;
constexpr uint32_t kThread = 11;
constexpr uint32_t kToken = 12;
constexpr uint32_t kJob = 13;
constexpr uint32_t kLastKind = kJob;

// A ledger.
constexpr size_t kLedgerBytes = 64 << 10;
constexpr size_t kLedgerWords = kLedgerBytes / sizeof(uint64_t);
constexpr size_t kProofWord = 0;
constexpr size_t kEndedWord = 1;
// 0 is as good as another, if kAsk has it too.
constexpr size_t kNonceWord = 2;
constexpr size_t kFirstSlot = 3;
constexpr uint64_t kProof = 0x4C574D5348415245;

OsHandle::Native ToNative(uint64_t number);

std::string RecordBytes(const std::vector<HandleRecord>& records);
std::string ControlFrame(const HandleRecord& record);
// The reply to a call of Sample.collect: a file for each record.
std::string FilesReplyFrame(uint32_t id, const std::vector<HandleRecord>& records);

OsHandle MakeEvent();
// `protection`: as for CreateFileMapping; 0 is for reading and writing.
OsHandle MakeSection(size_t bytes, uint32_t protection = 0);
// A process, a thread, a token and a job, with the kind of each: all of this process.
std::vector<std::pair<uint32_t, OsHandle>> PowersOverProcesses();
// None, and the pseudo handles down from -1, also as 32 bits.
std::vector<uint64_t> PseudoValues();

// A view of a ledger.
class LedgerView {
 public:
  explicit LedgerView(const OsHandle& section);
  LedgerView(const LedgerView&) = delete;
  LedgerView& operator=(const LedgerView&) = delete;
  ~LedgerView();
  std::atomic<uint64_t>& operator[](size_t i) const { return words_[i]; }

 private:
  std::atomic<uint64_t>* words_;
};

// The `i`-th record that came to a peer so far.
bool HasRecord(const RawPeer& peer, size_t i);
HandleRecord RecordOf(const RawPeer& peer, size_t i);
// Waits on this thread for it, for at most 10 seconds; {} if it does not come.
HandleRecord AwaitRecord(RawPeer& peer, size_t i);
// Until the other side has hung up, or says nothing for 10 seconds.
void AwaitEnd(RawPeer& peer);

}  // namespace lwmsg::test
