// Frames out of bytes: in whatever pieces they come, the same frames and the same error. OS handles
// come beside the bytes or as records among them.
#include "runtime/frame_reader.h"

#include <algorithm>
#include <array>
#include <string>

#include "lwmsg/internal/message_state.h"
#include "tests/fuzz/target.h"

namespace lwmsg::test {
namespace {

// What came out of a reader.
struct Outcome {
  std::string frames;
  Status status;
  bool at_boundary = true;
  bool operator==(const Outcome&) const = default;
};

// Takes every record for what it says it is, and brings no handle.
class Records final : public internal::HandleRecords {
 public:
  Result<std::vector<OsHandle>> Receive(std::span<const internal::HandleRecord> records) override {
    if (!records.empty() && records[0].what == 1) return Error(StatusCode::kMalformed, "refused");
    return std::vector<OsHandle>(records.size());
  }
  Status Control(std::span<const internal::HandleRecord> records) override {
    return records[0].what == 1 ? Status(StatusCode::kMalformed, "refused") : Status();
  }
};

// Frames with whole headers, some of them wrong, around what the input says.
std::string MakeStream(Input& input, bool records) {
  std::string bytes;
  while (!input.empty() && bytes.size() < 4000) {
    const size_t words = input.Below(12);
    const size_t handles = input.OneIn(4) ? input.Below(4) : 0;
    const size_t extra = records ? handles * internal::kHandleRecordBytes : 0;
    const auto body = input.Bytes(8 * words + extra);
    std::string frame("LWM\x01\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    frame[4] = static_cast<char>(words);
    frame[8] = static_cast<char>(handles);
    frame.append(body.begin(), body.end());
    frame.resize(16 + 8 * words + extra);
    if (input.OneIn(16)) {
      const size_t place = input.Below(16);
      frame[place] = static_cast<char>(input.Byte());
    }
    if (input.OneIn(32)) frame.resize(input.Byte() % frame.size());
    bytes += frame;
  }
  return bytes;
}

// `pieces` says how many bytes come at a time, and how many handles with them.
Outcome ReadAll(std::string bytes, Input pieces, const Limits& limits, Records* records) {
  Outcome outcome;
  internal::FrameReader reader(limits, records);
  std::array<std::byte, 512> buffer;
  size_t at = 0;
  while (at < bytes.size()) {
    const size_t most = pieces.empty() ? SIZE_MAX : 1 + pieces.Byte();
    std::vector<OsHandle> handles;
    if (records == nullptr && pieces.OneIn(16)) handles.push_back(fuzz::OpenHandle(pieces));
    const auto space = reader.SpaceFor(buffer);
    const size_t room = space.frame.size() + space.shared.size();
    const size_t size = std::min({most, room, bytes.size() - at});
    const size_t in_frame = std::min(size, space.frame.size());
    const auto from = std::as_bytes(std::span(bytes)).subspan(at, size);
    std::ranges::copy(from.first(in_frame), space.frame.begin());
    std::ranges::copy(from.subspan(in_frame), space.shared.begin());
    at += size;
    reader.Add(space, size, std::move(handles));
    while (true) {
      auto frame = reader.Next();
      if (!frame) {
        outcome.status = frame.error();
        return outcome;
      }
      if (!*frame) break;
      const auto chars = (*frame)->words.asChars();
      outcome.frames.append(chars.begin(), chars.size());
      outcome.frames += "|" + std::to_string((*frame)->handles.size());
    }
  }
  outcome.at_boundary = reader.at_boundary();
  return outcome;
}

}  // namespace
}  // namespace lwmsg::test

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lwmsg::test;
  Input input({data, size});
  const bool with_records = input.Bool();
  const bool with_handles = !with_records && input.Bool();
  lwmsg::Limits limits;
  limits.max_frame_bytes = 8 * input.Byte();
  limits.max_frame_handles = static_cast<uint16_t>(input.Below(4));
  const Input pieces(input.Bytes(input.Byte()));
  const std::string bytes = MakeStream(input, with_records);
  if (with_handles) {
    const SameHandles same;
    ReadAll(bytes, pieces, limits, nullptr);
    return 0;
  }
  Records first;
  Records second;
  // Without handles, which belong to pieces, the pieces make no difference.
  Input sizes = pieces;
  std::string plain;
  while (!sizes.empty()) {
    plain += static_cast<char>(sizes.Byte());
    plain += '\0';
  }
  const Input split({reinterpret_cast<const uint8_t*>(plain.data()), plain.size()});
  const auto whole = ReadAll(bytes, Input({}), limits, with_records ? &first : nullptr);
  const auto parts = ReadAll(bytes, split, limits, with_records ? &second : nullptr);
  Require(whole == parts, "pieces make no difference");
  return 0;
}
