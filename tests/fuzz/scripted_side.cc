#include "tests/fuzz/scripted_side.h"

#include <lwmsg/lwmsg.capnp.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <string>
#include <string_view>

#include "lwmsg/fuzz/finding.h"
#include "lwmsg/fuzz/handles.h"

namespace lwmsg::test {
namespace {

constexpr size_t kMostKept = 32;

// The field that tags stand in, if the type has it.
std::optional<capnp::StructSchema::Field> TextOf(capnp::StructSchema type) {
  for (auto field : type.getFields()) {
    if (field.getProto().getName() == "text" && field.getType().isText()) return field;
  }
  return std::nullopt;
}

uint64_t TagIn(capnp::AnyPointer::Reader payload, capnp::StructSchema type) {
  const auto field = TextOf(type);
  if (!field) return 0;
  const auto text = payload.getAs<capnp::DynamicStruct>(type).get(*field).as<capnp::Text>();
  uint64_t tag = 0;
  std::from_chars(text.begin(), text.end(), tag);
  return tag;
}

template <typename T>
T* Pick(fuzz::Input& input, std::vector<T>& from) {
  return from.empty() ? nullptr : &from[input.Below(std::min<size_t>(from.size(), 256))];
}

}  // namespace

// What is called: a service, or an object of the session.
class ScriptedSide::Target final : public Service {
 public:
  Target(ScriptedSide& side, const Protocol& protocol) : side_(side), protocol_(protocol) {}
  const Protocol& protocol() const override { return protocol_; }

 private:
  void DispatchIncoming(IncomingCall call) override { side_.OnCall(std::move(call)); }

  ScriptedSide& side_;
  const Protocol& protocol_;
};

ScriptedSide::ScriptedSide(std::vector<const Protocol*> serves, std::vector<const Protocol*> calls)
    : calls_(std::move(calls)) {
  for (const Protocol* protocol : serves) {
    targets_.push_back(std::make_unique<Target>(*this, *protocol));
    fuzz::Require(services_.Add(*targets_.back()).ok(), "what is served can be served");
  }
}

ScriptedSide::~ScriptedSide() = default;

void ScriptedSide::Step(fuzz::Input& input) {
  input_ = &input;
  using Act = void (ScriptedSide::*)(fuzz::Input&);
  constexpr Act kActs[] = {
      &ScriptedSide::Call,      &ScriptedSide::Call,     &ScriptedSide::Call,
      &ScriptedSide::Call,      &ScriptedSide::Answer,   &ScriptedSide::Answer,
      &ScriptedSide::Answer,    &ScriptedSide::SendItem, &ScriptedSide::SendItem,
      &ScriptedSide::ReadItems, &ScriptedSide::Wait,     &ScriptedSide::CancelCall,
      &ScriptedSide::Forget,    &ScriptedSide::End};
  (this->*kActs[input.Below(std::size(kActs))])(input);
}

void ScriptedSide::LetGo() {
  kept_.clear();
  objects_.clear();
  names_.clear();
  handles_.clear();
  memories_.clear();
}

// --- What messages name.

void ScriptedSide::Handle(fuzz::Input& input, capnp::DynamicStruct::Builder field) {
  if (input.OneIn(4)) return;
  filled_->handles().Put(field.as<schema::OsHandle>(), fuzz::OpenHandle(input));
}

void ScriptedSide::Memory(fuzz::Input& input, capnp::DynamicStruct::Builder field) {
  if (input.OneIn(4)) return;
  const bool own = input.Bool();
  const size_t size = 1 + input.Byte();
  if (!own && !pool_) {
    auto pool = SharedMemoryPool::Create(512, 2);
    if (pool) pool_ = std::move(*pool);
  }
  if (!own && !pool_) return;
  auto memory = own ? WritableMemory::Create(size) : pool_->Take();
  if (!memory) return;
  memory->Truncate(size);
  filled_->handles().Put(field.as<schema::SharedMemory>(), std::move(*memory));
}

void ScriptedSide::Object(fuzz::Input& input, capnp::DynamicStruct::Builder field) {
  const auto name = field.as<schema::Handle<sample::Object>>();
  const size_t choice = input.Below(4);
  if (choice == 0) return;
  if (choice == 1) {
    if (const auto* known = Pick(input, names_)) filled_->handles().Put(name, *known);
    return;
  }
  std::shared_ptr<Target> object;
  if (const auto* known = choice == 2 ? Pick(input, objects_) : nullptr) object = *known;
  if (!object) object = std::make_shared<Target>(*this, sample::kObjectProtocol);
  if (objects_.size() < kMostKept) objects_.push_back(object);
  static_cast<void>(filled_->handles().Register(name, object));
}

void ScriptedSide::Fill(fuzz::Input& input, OutgoingMessage& message, capnp::StructSchema type,
                        uint64_t tag) {
  filled_ = &message;
  const auto payload = message.payload().initAs<capnp::DynamicStruct>(type);
  fuzz::FillMessage(input, payload, *this);
  filled_ = nullptr;
  if (const auto field = TextOf(type)) {
    const std::string text = std::to_string(tag);
    capnp::DynamicStruct::Builder(payload).set(*field, text.c_str());
  }
}

void ScriptedSide::TakeAll(fuzz::Input& input, IncomingMessage& message, capnp::StructSchema type) {
  auto& from = message.handles();
  UniqueFunction<void(capnp::DynamicStruct::Reader)> see = [&](capnp::DynamicStruct::Reader part) {
    const uint64_t id = part.getSchema().getProto().getId();
    if (id == capnp::typeId<schema::OsHandle>()) {
      auto handle = from.Take(part.as<schema::OsHandle>());
      if (handle && handles_.size() < kMostKept) handles_.push_back(std::move(*handle));
    } else if (id == capnp::typeId<schema::SharedMemory>()) {
      auto memory = from.Take(part.as<schema::SharedMemory>());
      if (!memory) return;
      uint8_t sum = 0;
      for (const std::byte byte : memory->bytes()) sum ^= std::to_integer<uint8_t>(byte);
      if (sum == 0 && memories_.size() < kMostKept) memories_.push_back(std::move(*memory));
    } else if (id == capnp::typeId<schema::Handle<>>()) {
      auto name = from.Take(part.as<schema::Handle<sample::Object>>());
      if (name && names_.size() < kMostKept) names_.push_back(std::move(*name));
    }
  };
  fuzz::WalkMessage(message.payload().getAs<capnp::DynamicStruct>(type), see);
  if (input.Bool()) handles_.clear();
}

// --- Its own calls.

void ScriptedSide::Call(fuzz::Input& input) {
  if (association_ == nullptr || calls_.empty() || started_.size() > 256) return;
  // A side that is connected to has nobody's channel before the peer's hello.
  if (!connects_ && association_->state() == Association::State::kGreeting) return;
  const auto* object = input.OneIn(4) ? Pick(input, names_) : nullptr;
  const Protocol& protocol =
      object != nullptr ? sample::kObjectProtocol : *calls_[input.Below(calls_.size())];
  const auto number = static_cast<uint16_t>(input.Below(protocol.methods.size()));
  const MethodInfo& method = protocol.methods[number];
  auto message = OutgoingMessage::ForCall(protocol.id, number);
  message.handles().set_session(association_->session());
  const uint64_t tag = ++last_tag_;
  Fill(input, message, method.params().schema(), tag);
  OutgoingCall call{&protocol, &method, object != nullptr ? object->id() : 0, std::move(message),
                    std::nullopt};
  if (input.OneIn(4)) call.timeout = std::chrono::milliseconds(input.Byte());
  if (method.kind == MethodKind::kOneWay) {
    static_cast<void>(association_->Post(std::move(call)));
    return;
  }
  auto started = std::make_shared<Started>();
  started->tag = tag;
  started->tagged = TextOf(method.params().schema()).has_value();
  started->stream = method.kind == MethodKind::kStream;
  StartCall(std::move(call), std::move(started));
}

void ScriptedSide::StartCall(OutgoingCall call, std::shared_ptr<Started> started) {
  started_.push_back(started);
  const auto type = call.method->results().schema();
  if (started->stream) {
    call.on_item = [this, started, type](IncomingMessage item) {
      fuzz::Require(started->ends == 0, "items come before the end of their call");
      ++started->items;
      if (input_ != nullptr) TakeAll(*input_, item, type);
    };
  }
  started->pending =
      association_->Start(std::move(call), [this, started, type](Result<IncomingMessage> reply) {
        fuzz::Require(++started->ends == 1, "a call ends once");
        started->good = reply.has_value();
        if (reply && !started->stream && input_ != nullptr) TakeAll(*input_, *reply, type);
      });
}

void ScriptedSide::CancelCall(fuzz::Input& input) {
  if (const auto* started = Pick(input, started_)) (*started)->pending.Cancel();
}

void ScriptedSide::ReadItems(fuzz::Input& input) {
  const auto* started = Pick(input, started_);
  if (started == nullptr || (*started)->read == (*started)->items) return;
  (*started)->pending.GiveCredit((*started)->items - (*started)->read);
  (*started)->read = (*started)->items;
}

// --- What it is called.

void ScriptedSide::OnCall(IncomingCall call) {
  const auto type = call.protocol().methods[call.method()].params().schema();
  const uint64_t tag = TagIn(call.request().payload(), type);
  if (tag != 0) {
    in_order_ = in_order_ && tag > seen_tag_;
    seen_tag_ = tag;
    served_[tag];
  }
  const size_t choice = input_ == nullptr ? 0 : input_->Below(8);
  if (choice == 1) throw std::runtime_error("the script says so");
  if (choice == 2 || kept_.size() >= kMostKept) return;
  if (choice == 3) TakeAll(*input_, call.request(), type);
  kept_.push_back({std::move(call), tag});
  if (choice > 5) Answer(*input_);
}

void ScriptedSide::Answer(fuzz::Input& input) {
  if (kept_.empty()) return;
  const size_t index = input.Below(kept_.size());
  Kept kept = std::move(kept_[index]);
  kept_.erase(kept_.begin() + static_cast<ptrdiff_t>(index));
  const MethodInfo& method = kept.call.protocol().methods[kept.call.method()];
  if (method.kind == MethodKind::kOneWay) return;
  const size_t choice = input.Below(8);
  if (choice == 0) return;
  if (choice == 1) {
    const auto code = static_cast<StatusCode>(input.Byte());
    return kept.call.Fail(Status(code, input.Text(40)));
  }
  if (method.kind == MethodKind::kStream) {
    kept.call.reply() = OutgoingMessage::ForReply(kept.call.interface_id(), kept.call.method());
  } else {
    Fill(input, kept.call.reply(), method.results().schema(), kept.tag);
  }
  served_[kept.tag].answered = true;
  kept.call.Reply();
}

void ScriptedSide::SendItem(fuzz::Input& input) {
  auto* kept = Pick(input, kept_);
  if (kept == nullptr) return;
  const MethodInfo& method = kept->call.protocol().methods[kept->call.method()];
  if (method.kind != MethodKind::kStream) return;
  Fill(input, kept->call.reply(), method.results().schema(), kept->tag);
  if (kept->call.SendItem().ok()) ++served_[kept->tag].items;
}

void ScriptedSide::Wait(fuzz::Input& input) {
  auto* kept = Pick(input, kept_);
  if (kept == nullptr) return;
  const bool answers = input.Bool();
  // May be called at once, and inside of whatever ends the call.
  UniqueFunction<void()> callback = [this, answers] {
    if (answers && input_ != nullptr) Answer(*input_);
  };
  switch (input.Below(4)) {
    case 0:
      return kept->call.OnCancel(std::move(callback));
    case 1:
      if (kept->call.protocol().methods[kept->call.method()].kind != MethodKind::kStream) return;
      return kept->call.OnCredit(std::move(callback));
    case 2:
      return static_cast<void>(kept->call.stop_token());
    default:
      return static_cast<void>(kept->call.cancelled());
  }
}

void ScriptedSide::Forget(fuzz::Input& input) {
  switch (input.Below(4)) {
    case 0:
      return names_.clear();
    case 1:
      return objects_.clear();
    case 2:
      return memories_.clear();
    default:
      return handles_.clear();
  }
}

void ScriptedSide::End(fuzz::Input& input) {
  if (association_ == nullptr || !input.OneIn(8)) return;
  if (input.Bool()) return association_->Drain();
  association_->Close(Status(static_cast<StatusCode>(input.Byte()), "the script says so"));
}

}  // namespace lwmsg::test
