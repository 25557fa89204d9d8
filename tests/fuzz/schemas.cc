// Schemas that a peer brought, made of our own with bytes changed, or of any bytes: loaded,
// compared with ours and with one another, printed, and used to check a message.
#include <capnp/dynamic.h>
#include <fields.lwmsg.h>
#include <print.lwmsg.h>
#include <sample.lwmsg.h>

#include <array>
#include <optional>

#include "lwmsg/fuzz/message_filler.h"
#include "lwmsg/fuzz/words.h"
#include "lwmsg/internal/payload_type.h"
#include "lwmsg/internal/reached_schemas.h"
#include "lwmsg/internal/schema_difference.h"
#include "lwmsg/internal/schema_text.h"
#include "lwmsg/print.h"
#include "tests/fuzz/changed_words.h"
#include "tests/fuzz/target.h"

namespace lwmsg::test {
namespace {

using internal::ForeignSchema;
using Request = capnp::schema::CodeGeneratorRequest;

const std::array<capnp::InterfaceSchema, 5>& Ours() {
  static const std::array<capnp::InterfaceSchema, 5> ours = {
      sample::kObjectProtocol.schema(), sample::kListenerProtocol.schema(),
      fields::kScreenProtocol.schema(), printed::kPrintedProtocol.schema(),
      sample::kSampleProtocol.schema()};
  return ours;
}

// A schema as it came, and what keeps it.
struct Foreign {
  kj::Array<capnp::word> words;
  std::unique_ptr<capnp::FlatArrayMessageReader> message;
  std::unique_ptr<ForeignSchema> loaded;
};

// Those of our own are mostly small, so that what is changed counts.
capnp::InterfaceSchema PickOurs(Input& input) {
  const size_t choice = input.Below(16);
  return Ours()[choice < Ours().size() ? choice : choice % 4];
}

Foreign Bring(Input& input, capnp::InterfaceSchema interface) {
  Foreign foreign;
  if (input.OneIn(8)) {
    foreign.words = fuzz::WordsOf(input.Bytes(input.Number<uint16_t>()));
  } else {
    capnp::MallocMessageBuilder message;
    auto request = message.initRoot<Request>();
    const auto orphanage = capnp::Orphanage::getForMessageContaining(request);
    auto nodes = internal::CollectNodes({&interface, 1}, orphanage);
    request.adoptNodes(std::move(*nodes));
    foreign.words = ChangedWords(input, message);
  }
  try {
    foreign.message = std::make_unique<capnp::FlatArrayMessageReader>(foreign.words);
    auto loaded = ForeignSchema::Load(foreign.message->getRoot<Request>().getNodes());
    if (loaded) foreign.loaded = std::move(*loaded);
  } catch (const kj::Exception&) {
    // Whoever reads the message around the nodes finds this.
    foreign.loaded = nullptr;
  }
  return foreign;
}

// A message of any bytes, checked and printed by a schema from outside.
void CheckMessage(Input& input, capnp::InterfaceSchema interface) {
  const auto methods = interface.getMethods();
  if (methods.size() == 0) return;
  const auto method = methods[static_cast<unsigned>(input.Below(std::min(methods.size(), 256U)))];
  const internal::PayloadType type(method.getParamType());
  const auto words = fuzz::WordsOf(input.Rest());
  // As for messages and archives: limited while it is checked, unlimited afterwards.
  capnp::ReaderOptions limited;
  limited.traversalLimitInWords = 8 * words.size() + 1024;
  capnp::ReaderOptions unlimited;
  unlimited.traversalLimitInWords = kj::maxValue;
  std::optional<capnp::FlatArrayMessageReader> checked;
  try {
    checked.emplace(words, limited);
    if (!type.CheckReadable(checked->getRoot<capnp::AnyPointer>()).ok()) return;
  } catch (const kj::Exception&) {
    return;
  }
  capnp::FlatArrayMessageReader message(words, unlimited);
  const auto root = message.getRoot<capnp::AnyPointer>();
  const auto read = root.getAs<capnp::DynamicStruct>(type.schema());
  UniqueFunction<void(capnp::DynamicStruct::Reader)> see = [](auto) {};
  fuzz::WalkMessage(read, see);
  Require(!Print(read, {.max_bytes = 4096}).empty(), "each message has a text");
}

}  // namespace
}  // namespace lwmsg::test

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lwmsg::test;
  Input input({data, size});
  const auto ours = PickOurs(input);
  const Foreign first = Bring(input, ours);
  if (!first.loaded) return 0;
  const auto theirs = first.loaded->Interface(ours.getProto().getId());
  if (!theirs) return 0;
  const auto there = lwmsg::internal::SchemaDifferences(ours, *theirs);
  const auto back = lwmsg::internal::SchemaDifferences(*theirs, ours);
  Require(there.empty() == back.empty(), "compatible is compatible both ways");
  Require(lwmsg::internal::SchemaDifferences(*theirs, *theirs).empty(),
          "one is compatible with itself");
  Require(!lwmsg::internal::InterfaceText(*theirs).empty(), "each interface has a text");
  CheckMessage(input, *theirs);
  return 0;
}
