// ScriptedPeer: what it does.
#include "lwmsg/fuzz/scripted_peer.h"

#include <capnp/serialize.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "lwmsg/fuzz/handles.h"
#include "lwmsg/fuzz/scripted_peer_end.h"
#include "lwmsg/fuzz/words.h"
#include "lwmsg/internal/annotations.h"
#include "lwmsg/internal/reached_schemas.h"

namespace lwmsg::fuzz {
namespace {

bool IsStream(capnp::InterfaceSchema::Method method) {
  return internal::HasAnnotation(method.getProto().getAnnotations(), internal::kStreamId);
}

bool IsOneWay(capnp::InterfaceSchema::Method method) {
  return internal::HasAnnotation(method.getProto().getAnnotations(), internal::kOneWayId);
}

// What a peer may have instead of what it should have: some numbers at the edges.
uint32_t AnyNumber(Input& input) {
  constexpr std::array<uint32_t, 8> kEdges = {0,     1,          2,          255,
                                              65535, 0x80000000, UINT32_MAX, UINT32_MAX - 1};
  const size_t choice = input.Below(16);
  return choice < kEdges.size() ? kEdges[choice] : input.Number<uint32_t>();
}

}  // namespace

std::unique_ptr<Transport> ScriptedPeer::MakeTransport(Token token) {
  auto end = std::make_unique<End>(executor_, end_, std::move(token),
                                   [this](Frame frame) { Take(std::move(frame)); });
  end_ = end.get();
  return end;
}

void ScriptedPeer::Greet(Input& input) {
  Send(input, [&input](wire::Envelope::Builder envelope) {
    auto hello = envelope.initHello();
    const bool usual = !input.OneIn(4);
    hello.setMaxFrameBytes(usual ? 1 << 20 : AnyNumber(input));
    hello.setMaxFrameHandles(usual ? 16 : input.Number<uint16_t>());
    hello.setMaxCalls(usual ? 128 : AnyNumber(input));
    if (usual) return;
    hello.setFeatures(input.Number<uint64_t>());
    const bool right = !input.OneIn(4);
    const std::string key =
        right ? std::string(16, static_cast<char>('a' + input.Below(3))) : input.Text(40);
    const auto* bytes = reinterpret_cast<const kj::byte*>(key.data());
    hello.setSessionKey(capnp::Data::Reader(bytes, key.size()));
    hello.setSessionId(input.Number<uint64_t>());
    for (auto protocol : hello.initProtocols(static_cast<unsigned>(input.Below(4)))) {
      protocol.setInterfaceId(input.Number<uint64_t>());
      protocol.setVersion(input.Number<uint32_t>());
    }
  });
}

void ScriptedPeer::Step(Input& input) {
  if (end_ == nullptr) return static_cast<void>(input.Rest());
  using Act = void (ScriptedPeer::*)(Input&);
  // What is there more than once is done more often.
  constexpr std::array<Act, 24> kActs = {
      &ScriptedPeer::CallService, &ScriptedPeer::CallService, &ScriptedPeer::CallService,
      &ScriptedPeer::CallService, &ScriptedPeer::CallService, &ScriptedPeer::CallService,
      &ScriptedPeer::CallObject,  &ScriptedPeer::CallObject,  &ScriptedPeer::Reply,
      &ScriptedPeer::Reply,       &ScriptedPeer::Reply,       &ScriptedPeer::Item,
      &ScriptedPeer::Item,        &ScriptedPeer::GiveCredit,  &ScriptedPeer::Cancel,
      &ScriptedPeer::Release,     &ScriptedPeer::GiveBack,    &ScriptedPeer::Describe,
      &ScriptedPeer::Description, &ScriptedPeer::SendRaw,     &ScriptedPeer::FillQueue,
      &ScriptedPeer::RefuseNext,  &ScriptedPeer::Goodbye,     &ScriptedPeer::HangUp};
  (this->*kActs[input.Below(kActs.size())])(input);
}

// --- Frames.

void ScriptedPeer::Send(Input& input, Fill fill) {
  const size_t changes = input.OneIn(8) ? input.Below(8) : 0;
  kj::Array<capnp::word> words;
  {
    capnp::MallocMessageBuilder message(kj::arrayPtr(scratch_.data(), scratch_.size()));
    fill(message.initRoot<wire::Envelope>());
    words = capnp::messageToFlatArray(message);
  }
  for (size_t i = 0; i < changes; ++i) {
    const size_t place = input.Number<uint16_t>() % words.asBytes().size();
    words.asBytes()[place] = input.Byte();
  }
  SendWords(kj::mv(words));
}

void ScriptedPeer::SendWords(kj::Array<capnp::word> words) {
  Frame frame{kj::mv(words), internal::ReceivedHandles(std::exchange(handles_, {}))};
  NoteSent(frame);
  if (end_ != nullptr) end_->Deliver(std::move(frame));
}

void ScriptedPeer::NoteSent(const Frame& frame) {
  try {
    capnp::FlatArrayMessageReader reader(frame.words);
    const auto envelope = reader.getRoot<wire::Envelope>();
    if (envelope.isCredit()) {
      const auto call = own_calls_.find(envelope.getCredit().getId());
      if (call != own_calls_.end()) call->second.credit += envelope.getCredit().getItems();
    }
    if (!envelope.isCall() || envelope.getCall().getId() == 0) return;
    const auto call = envelope.getCall();
    OwnCall own{std::nullopt, call.getCredit(), 0};
    const auto interface = Find(call.getInterfaceId());
    if (interface && call.getMethod() < interface->getMethods().size()) {
      own.method = interface->getMethods()[call.getMethod()];
    }
    // An id may be there twice while the association waits for a schema.
    ++own_calls_.emplace(call.getId(), own).first->second.times;
  } catch (const kj::Exception&) {
    // Then it is no message for the association either.
    return;
  }
}

void ScriptedPeer::SendRaw(Input& input) {
  const size_t size = input.Byte();
  SendWords(WordsOf(input.Bytes(size)));
}

// --- What messages name.

void ScriptedPeer::Handle(Input& input, capnp::DynamicStruct::Builder field) {
  const size_t choice = input.Below(16);
  if (choice == 0) return field.set("slot", input.Number<uint16_t>());
  if (choice < 4) return;
  // One that no slot names.
  if (choice == 4) handles_.push_back(OpenHandle(input));
  OsHandle handle = OpenHandle(input);
  if (!handle.valid()) return;
  handles_.push_back(std::move(handle));
  field.set("slot", static_cast<uint16_t>(handles_.size()));
}

void ScriptedPeer::Memory(Input& input, capnp::DynamicStruct::Builder field) {
  Handle(input, field.init("memory").as<capnp::DynamicStruct>());
  const bool odd = input.OneIn(4);
  field.set("pool", odd ? input.Number<uint64_t>() : input.Below(4));
  field.set("offset", odd ? input.Number<uint64_t>() : 64 * input.Below(4));
  field.set("size", odd ? input.Number<uint64_t>() : input.Byte());
}

void ScriptedPeer::Object(Input& input, capnp::DynamicStruct::Builder field) {
  const size_t choice = input.Below(8);
  if (choice == 0) return;
  const bool known = choice > 2 && !objects_.empty();
  field.set("receivers", known || choice == 1);
  field.set("id", known ? objects_[input.Below(objects_.size())].id : 1 + input.Below(8));
}

uint32_t ScriptedPeer::OwnId(Input& input) const {
  if (own_calls_.empty() || input.OneIn(16)) return AnyNumber(input);
  auto call = own_calls_.begin();
  std::advance(call, input.Below(std::min<size_t>(own_calls_.size(), 256)));
  return call->first;
}

// --- Calls.

void ScriptedPeer::CallService(Input& input) {
  if (served_.empty()) return;
  Call(input, served_[input.Below(served_.size())], input.OneIn(32) ? AnyNumber(input) : 0);
}

void ScriptedPeer::CallObject(Input& input) {
  if (objects_.empty()) return;
  const Named object = objects_[input.Below(objects_.size())];
  if (object.interface) Call(input, *object.interface, object.id);
}

void ScriptedPeer::Call(Input& input, capnp::InterfaceSchema interface, uint64_t object) {
  const auto methods = interface.getMethods();
  if (methods.size() == 0) return;
  const auto method = methods[static_cast<unsigned>(input.Below(std::min(methods.size(), 256U)))];
  Send(input, [&](wire::Envelope::Builder envelope) {
    auto call = envelope.initCall();
    call.setInterfaceId(interface.getProto().getId());
    call.setMethod(method.getOrdinal());
    call.setObject(object);
    const bool odd = input.OneIn(32);
    const bool reused = odd && input.Bool();
    call.setId(IsOneWay(method) ? 0 : reused ? OwnId(input) : ++last_id_);
    if (IsStream(method)) call.setCredit(odd ? AnyNumber(input) : 1 + input.Below(8));
    if (input.OneIn(4)) call.setTimeoutMicros(odd ? UINT64_MAX : uint64_t{1000} * input.Byte());
    if (input.OneIn(16)) call.setSchemaHash(input.Byte());
    FillMessage(input, call.getParams().initAs<capnp::DynamicStruct>(method.getParamType()), *this);
  });
}

void ScriptedPeer::FillResults(Input& input, const TheirCall& call,
                               capnp::AnyPointer::Builder results) {
  if (!call.method || input.OneIn(16)) {
    const std::string text = input.Text(40);
    return results.setAs<capnp::Text>(text.c_str());
  }
  FillMessage(input, results.initAs<capnp::DynamicStruct>(call.method->getResultType()), *this);
}

void ScriptedPeer::Reply(Input& input) {
  TheirCall call;
  if (!their_calls_.empty() && !input.OneIn(32)) {
    const auto place =
        their_calls_.begin() +
        static_cast<ptrdiff_t>(input.Below(std::min<size_t>(their_calls_.size(), 256)));
    call = *place;
    their_calls_.erase(place);
  }
  Send(input, [&](wire::Envelope::Builder envelope) {
    auto reply = envelope.initReply();
    reply.setId(call.id);
    reply.setItems(input.OneIn(4) ? AnyNumber(input) : 0);
    if (!input.OneIn(4)) return FillResults(input, call, reply.getResults());
    reply.setStatus(input.Byte());
    const std::string text = input.Text(40);
    reply.setMessage(text.c_str());
  });
}

void ScriptedPeer::Item(Input& input) {
  TheirCall call;
  if (!their_calls_.empty()) {
    call = their_calls_[input.Below(std::min<size_t>(their_calls_.size(), 256))];
  }
  Send(input, [&](wire::Envelope::Builder envelope) {
    auto item = envelope.initItem();
    item.setId(call.id);
    FillResults(input, call, item.getResults());
  });
}

void ScriptedPeer::GiveCredit(Input& input) {
  Send(input, [&](wire::Envelope::Builder envelope) {
    auto credit = envelope.initCredit();
    credit.setId(OwnId(input));
    credit.setItems(input.OneIn(16) ? AnyNumber(input) : 1 + input.Below(8));
  });
}

void ScriptedPeer::Cancel(Input& input) {
  Send(input, [&](wire::Envelope::Builder envelope) { envelope.initCancel().setId(OwnId(input)); });
}

// --- Everything else.

void ScriptedPeer::Release(Input& input) {
  Send(input, [&](wire::Envelope::Builder envelope) {
    auto release = envelope.initRelease();
    const bool known = !objects_.empty() && !input.OneIn(16);
    release.setObject(known ? objects_[input.Below(objects_.size())].id : input.Number<uint64_t>());
    release.setCount(input.OneIn(8) ? AnyNumber(input) : 1);
  });
}

void ScriptedPeer::GiveBack(Input& input) {
  Send(input, [&](wire::Envelope::Builder envelope) {
    auto returned = envelope.initReturned();
    const bool known = !places_.empty() && !input.OneIn(16);
    const auto place =
        known ? places_[input.Below(places_.size())] : std::pair<uint64_t, uint64_t>();
    returned.setPool(place.first);
    returned.setOffset(place.second);
  });
}

void ScriptedPeer::Describe(Input& input) {
  Send(input, [&](wire::Envelope::Builder envelope) {
    const bool known = !served_.empty() && !input.OneIn(4);
    envelope.setDescribe(known ? served_[input.Below(served_.size())].getProto().getId()
                               : input.Number<uint64_t>());
  });
}

void ScriptedPeer::Description(Input& input) {
  if (served_.empty()) return;
  Send(input, [&](wire::Envelope::Builder envelope) {
    auto description = envelope.initDescription();
    const auto interface = served_[input.Below(served_.size())];
    description.setInterfaceId(interface.getProto().getId());
    if (input.OneIn(4)) return;
    const auto orphanage = capnp::Orphanage::getForMessageContaining(description);
    auto nodes = internal::CollectNodes({&interface, 1}, orphanage);
    if (nodes) description.adoptNodes(std::move(*nodes));
  });
}

void ScriptedPeer::Goodbye(Input& input) {
  if (!input.OneIn(4)) return;
  Send(input, [&](wire::Envelope::Builder envelope) {
    auto goodbye = envelope.initGoodbye();
    goodbye.setStatus(input.Byte());
    const std::string text = input.Text(40);
    goodbye.setMessage(text.c_str());
  });
}

void ScriptedPeer::FillQueue(Input& input) {
  const size_t bytes = size_t{input.Number<uint32_t>()} % (32 << 20);
  const size_t messages = input.Number<uint16_t>();
  const size_t handles = input.Byte();
  if (end_ != nullptr) end_->set_queued({bytes, messages, handles});
}

void ScriptedPeer::RefuseNext(Input& input) {
  if (input.Bool()) end_->RefuseNext();
}

void ScriptedPeer::HangUp(Input& input) {
  if (!input.OneIn(4)) return;
  const bool well = input.Bool();
  end_->HangUp(well ? Status() : Status(StatusCode::kMalformed, "the peer's framing is broken"));
}

}  // namespace lwmsg::fuzz
