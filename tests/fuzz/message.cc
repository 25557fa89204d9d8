// Messages of every type of the test schemas, broken and sound: what passed the check can be read
// and printed without an exception.
#include "lwmsg/message.h"

#include <capnp/serialize.h>
#include <fields.capnp.h>
#include <lwmsg/lwmsg.capnp.h>
#include <print.lwmsg.h>
#include <sample.lwmsg.h>

#include <array>

#include "lwmsg/fuzz/message_filler.h"
#include "lwmsg/fuzz/words.h"
#include "lwmsg/internal/message_state.h"
#include "lwmsg/print.h"
#include "tests/fuzz/target.h"

namespace lwmsg::test {
namespace {

using internal::PayloadType;
using internal::PayloadTypeOf;

std::vector<const PayloadType*> AllTypes() {
  std::vector<const PayloadType*> types = {
      &PayloadTypeOf<fields::ObjectGroup>(), &PayloadTypeOf<fields::Integers>(),
      &PayloadTypeOf<fields::Lists>(),       &PayloadTypeOf<fields::Texts>(),
      &PayloadTypeOf<fields::Musts>(),       &PayloadTypeOf<fields::Owners>(),
      &PayloadTypeOf<fields::Tree>(),        &PayloadTypeOf<fields::Secrets>(),
      &PayloadTypeOf<fields::Logins>(),      &PayloadTypeOf<fields::NewOne>(),
      &PayloadTypeOf<fields::ColorsOfNow>(), &PayloadTypeOf<fields::StringLists>(),
      &PayloadTypeOf<fields::Arms>(),        &PayloadTypeOf<fields::Fixed>(),
      &PayloadTypeOf<fields::Levels>(),      &PayloadTypeOf<fields::Narrow>()};
  for (const Protocol* protocol :
       {&sample::kSampleProtocol, &sample::kObjectProtocol, &printed::kPrintedProtocol}) {
    for (const MethodInfo& method : protocol->methods) {
      types.push_back(&method.params());
      types.push_back(&method.results());
    }
  }
  return types;
}

// Handles are none: the checks look only at their numbers.
class Slots final : public fuzz::Names {
 public:
  void Handle(Input& input, capnp::DynamicStruct::Builder field) override {
    const bool odd = input.OneIn(16);
    if (!odd && !input.Bool()) return;
    field.set("slot", odd ? input.Number<uint16_t>() : ++count_);
  }
  void Memory(Input& input, capnp::DynamicStruct::Builder field) override {
    Handle(input, field.init("memory").as<capnp::DynamicStruct>());
    field.set("pool", input.Byte());
    field.set("size", input.Byte());
  }
  void Object(Input& input, capnp::DynamicStruct::Builder field) override {
    field.set("id", input.Below(4));
    field.set("receivers", input.Bool());
  }
  uint16_t count() const { return count_; }

 private:
  uint16_t count_ = 0;
};

// A call with params of that type, sometimes with bytes changed.
Frame MadeFrame(Input& input, const PayloadType& type) {
  auto message = OutgoingMessage::ForCall(1, 2);
  Slots slots;
  const size_t changes = input.OneIn(4) ? input.Below(8) : 0;
  const bool missing = input.OneIn(16);
  fuzz::FillMessage(input, message.payload().initAs<capnp::DynamicStruct>(type.schema()), slots);
  Frame frame = internal::ToFrame(std::move(message));
  for (size_t i = 0; i < changes; ++i) {
    const size_t place = input.Number<uint16_t>() % frame.words.asBytes().size();
    frame.words.asBytes()[place] = input.Byte();
  }
  for (uint16_t i = missing ? 1 : 0; i < slots.count(); ++i) frame.handles.push_back(OsHandle());
  return frame;
}

void ReadAndPrint(const PayloadType& type, capnp::AnyPointer::Reader payload, Input& input) {
  size_t structs = 0;
  UniqueFunction<void(capnp::DynamicStruct::Reader)> see = [&structs](auto) { ++structs; };
  const auto read = payload.getAs<capnp::DynamicStruct>(type.schema());
  fuzz::WalkMessage(read, see);
  Require(structs > 0, "a message has a struct");
  const PrintOptions options{.indented = input.Bool(), .max_bytes = 4096};
  Require(!Print(read, options).empty(), "each message has a text");
}

}  // namespace
}  // namespace lwmsg::test

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lwmsg::test;
  static const auto types = AllTypes();
  Input input({data, size});
  const bool raw = input.OneIn(4);
  const PayloadType& type = *types[input.Below(types.size())];
  lwmsg::Frame frame =
      raw ? lwmsg::Frame{lwmsg::fuzz::WordsOf(input.Rest()), {}} : MadeFrame(input, type);
  auto message = lwmsg::IncomingMessage::Parse(std::move(frame), {});
  if (!message) return 0;
  if (!message->CheckPayload(type).ok()) return 0;
  ReadAndPrint(type, message->payload(), input);
  // A file holds no handles.
  Require(message->handles().size() != 0 || !message->memory_names().empty() ||
              type.CheckReadable(message->payload()).ok(),
          "what passes all rules can be read");
  return 0;
}
