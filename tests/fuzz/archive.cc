// Archives: blocks with right checksums around headers, records and ends that are broken, files
// that are cut, and any bytes.
#include "lwmsg/archive.h"

#include <fields.lwmsg.h>
#include <print.lwmsg.h>
#include <sample.lwmsg.h>
#include <schema/archive.capnp.h>

#include <fstream>
#include <string>

#include "lwmsg/fuzz/message_filler.h"
#include "runtime/archive_block.h"
#include "runtime/archive_schema.h"
#include "tests/fuzz/changed_words.h"
#include "tests/fuzz/target.h"
#include "tests/support/inventory.h"

namespace lwmsg::test {
namespace {

const std::vector<const Protocol*>& Known() {
  static const std::vector<const Protocol*> known = {
      &printed::kPrintedProtocol, &fields::kScreenProtocol, &sample::kObjectProtocol};
  return known;
}

// A file holds neither handles nor memory, and names of objects as numbers.
class NoNames final : public fuzz::Names {
  void Handle(Input& input, capnp::DynamicStruct::Builder field) override {
    if (input.OneIn(16)) field.set("slot", input.Byte());
  }
  void Memory(Input& /*input*/, capnp::DynamicStruct::Builder /*field*/) override {}
  void Object(Input& input, capnp::DynamicStruct::Builder field) override {
    field.set("id", input.Byte());
  }
};

void PutNumber(std::string& bytes, size_t at, uint32_t value) {
  for (size_t i = 0; i < 4; ++i) bytes[at + i] = static_cast<char>(value >> (8 * i));
}

uint32_t Checksum(std::string_view bytes) {
  return internal::Crc32c({reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()});
}

std::string Block(const kj::Array<capnp::word>& words) {
  std::string block("LWA\x01", 4);
  block.resize(16);
  const auto chars = words.asChars();
  block.append(chars.begin(), chars.size());
  PutNumber(block, 4, static_cast<uint32_t>(words.size()));
  PutNumber(block, 8, Checksum(std::string_view(block).substr(16)));
  PutNumber(block, 12, Checksum(std::string_view(block).substr(0, 12)));
  return block;
}

void FillRecord(Input& input, archive::Record::Builder record) {
  const Protocol& protocol = *Known()[input.Below(Known().size())];
  const size_t number = input.Below(protocol.methods.size());
  const bool reply = input.Bool();
  const MethodInfo& method = protocol.methods[number];
  record.setInterfaceId(input.OneIn(16) ? input.Byte() : protocol.id);
  record.setMethod(static_cast<uint16_t>(number));
  record.setReply(reply);
  record.setDroppedHandles(input.Byte());
  record.setTimeMicros(input.Number<int64_t>());
  NoNames names;
  const auto& type = reply ? method.results() : method.params();
  fuzz::FillMessage(input, record.getMessage().initAs<capnp::DynamicStruct>(type.schema()), names);
}

std::string MakeFile(Input& input) {
  std::string file;
  uint64_t records = 0;
  for (int blocks = 0; blocks < 8 && (blocks == 0 || !input.empty()); ++blocks) {
    capnp::MallocMessageBuilder message;
    auto block = message.initRoot<archive::Block>();
    const size_t kind = blocks == 0 && !input.OneIn(32) ? 0 : 1 + input.Below(8);
    if (kind == 0) {
      const auto interfaces = internal::AllInterfaces(Known());
      static_cast<void>(internal::DescribeInterfaces(interfaces, block.initHeader()));
    } else if (kind < 7) {
      FillRecord(input, block.initRecord());
      ++records;
    } else {
      block.setEnd(input.OneIn(8) ? input.Byte() : records);
    }
    if (input.OneIn(4)) {
      file += Block(ChangedWords(input, message));
    } else {
      file += Block(capnp::messageToFlatArray(message));
    }
  }
  if (input.OneIn(16)) file.resize(input.Number<uint16_t>() % (file.size() + 1));
  return file;
}

void Read(Input& input, const std::string& path) {
  const bool knows = input.Bool();
  ArchiveReaderOptions options{.strict = input.Bool()};
  if (input.OneIn(8)) options.max_record_bytes = input.Byte();
  auto reader =
      ArchiveReader::Open(path, knows ? Known() : std::vector<const Protocol*>(), options);
  if (!reader) return;
  static_cast<void>(reader->SchemaText());
  while (true) {
    auto record = reader->Next();
    if (!record || !*record) break;
    Require(!(*record)->ToString({.max_bytes = 4096}).empty(), "each record has a text");
    UniqueFunction<void(capnp::DynamicStruct::Reader)> see = [](auto) {};
    fuzz::WalkMessage((*record)->Dynamic(), see);
    auto typed = (*record)->As<printed::Printed::AllParams>();
    if (typed) static_cast<void>(typed->getAll().getText().size());
  }
  auto again = reader->Next();
  static_cast<void>(reader->finished());
}

}  // namespace
}  // namespace lwmsg::test

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lwmsg::test;
  Input input({data, size});
  Input options(input.Bytes(4));
  std::string file;
  if (input.OneIn(16)) {
    const auto bytes = input.Rest();
    file.assign(bytes.begin(), bytes.end());
  } else {
    file = MakeFile(input);
  }
  static const TemporaryFolder folder;
  const std::string path = folder.Path("a");
  std::ofstream(path, std::ios::binary)
      .write(file.data(), static_cast<std::streamsize>(file.size()));
  Read(options, path);
  return 0;
}
