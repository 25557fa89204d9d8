#pragma once

#include <capnp/dynamic.h>
#include <capnp/message.h>
#include <schema/wire.capnp.h>

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "lwmsg/executor.h"
#include "lwmsg/fuzz/input.h"
#include "lwmsg/fuzz/message_filler.h"
#include "lwmsg/internal/link.h"
#include "lwmsg/os_handle.h"
#include "lwmsg/protocol.h"
#include "lwmsg/token.h"
#include "lwmsg/transport.h"

namespace lwmsg::fuzz {

// The peer of an association under test, which does what bytes say: sends frames of every kind,
// right ones and wrong ones, with OS handles, answers calls, hangs up. It also watches that the
// association keeps to schema/wire.capnp: each call is answered once, a stream sends no more than
// it may, nothing follows a goodbye. Outlives the association.
class ScriptedPeer final : private Names {
 public:
  // `executor` outlives this, and has nothing to do while this takes a step.
  explicit ScriptedPeer(Executor& executor) : executor_(executor) {}
  ScriptedPeer(const ScriptedPeer&) = delete;
  ScriptedPeer& operator=(const ScriptedPeer&) = delete;
  ~ScriptedPeer() = default;

  // The association's end of the connection, to a peer that is known by `token`; once.
  std::unique_ptr<Transport> MakeTransport(Token token = {});
  // An interface that the association serves, so that this can call it.
  void Know(capnp::InterfaceSchema served) { served_.push_back(served); }
  // Calls of this peer without a reply.
  size_t unanswered() const { return own_calls_.size(); }

  // Sends a hello, most often a right one.
  void Greet(Input& input);
  // Does the next thing.
  void Step(Input& input);

 private:
  class End;
  // A call of this peer that has no reply yet.
  struct OwnCall {
    std::optional<capnp::InterfaceSchema::Method> method;
    uint32_t credit = 0;
    size_t times = 0;
  };
  // A call of the association's.
  struct TheirCall {
    uint32_t id = 0;
    std::optional<capnp::InterfaceSchema::Method> method;
  };
  // An object of the association's session.
  struct Named {
    uint64_t id = 0;
    std::optional<capnp::InterfaceSchema> interface;
  };
  using Fill = UniqueFunction<void(wire::Envelope::Builder)>;

  void Handle(Input& input, capnp::DynamicStruct::Builder field) override;
  void Memory(Input& input, capnp::DynamicStruct::Builder field) override;
  void Object(Input& input, capnp::DynamicStruct::Builder field) override;

  // Sends what `fill` makes, sometimes with bytes of it changed.
  void Send(Input& input, Fill fill);
  void SendWords(kj::Array<capnp::word> words);
  // What the association will take the frame for.
  void NoteSent(const Frame& frame);
  void Call(Input& input, capnp::InterfaceSchema interface, uint64_t object);
  void CallService(Input& input);
  void CallObject(Input& input);
  void Reply(Input& input);
  void Item(Input& input);
  void GiveCredit(Input& input);
  void Cancel(Input& input);
  void Release(Input& input);
  void GiveBack(Input& input);
  void Describe(Input& input);
  void Description(Input& input);
  void Goodbye(Input& input);
  void SendRaw(Input& input);
  void RefuseNext(Input& input);
  void FillQueue(Input& input);
  void HangUp(Input& input);
  void FillResults(Input& input, const TheirCall& call, capnp::AnyPointer::Builder results);
  uint32_t OwnId(Input& input) const;

  // What the association sent.
  void Take(Frame frame);
  void TakeReply(wire::Envelope::Reply::Reader reply);
  void TakeItem(wire::Envelope::Item::Reader item);
  void TakeCall(wire::Envelope::Call::Reader call);
  // Remembers the objects that a payload of this type names.
  void LookForObjects(capnp::AnyPointer::Reader payload, capnp::StructSchema type);
  std::optional<capnp::InterfaceSchema> Find(uint64_t interface_id) const;

  Executor& executor_;
  End* end_ = nullptr;  // Null once it is gone.
  std::vector<capnp::InterfaceSchema> served_;
  std::map<uint32_t, OwnCall> own_calls_;
  std::vector<TheirCall> their_calls_;
  std::vector<Named> objects_;
  std::vector<std::pair<uint64_t, uint64_t>> places_;  // Of pools that the association lent.
  std::vector<OsHandle> handles_;                      // Of the frame that is being made.
  uint32_t last_id_ = 0;
  bool heard_hello_ = false;
  bool heard_goodbye_ = false;
  std::array<capnp::word, 256> scratch_{};
};

}  // namespace lwmsg::fuzz
