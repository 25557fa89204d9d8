#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "lwmsg/association.h"
#include "lwmsg/fuzz/input.h"
#include "lwmsg/fuzz/message_filler.h"
#include "lwmsg/handle.h"
#include "lwmsg/service.h"
#include "lwmsg/shared_memory.h"
#include "sample.lwmsg.h"

namespace lwmsg::test {

// The user code of one side of an association, which does what bytes say: calls the peer, and
// keeps, answers, fails and drops what it is called, with everything that messages can bring.
// Outlives its association.
class ScriptedSide final : private fuzz::Names {
 public:
  // `calls` are the protocols that the peer may serve.
  ScriptedSide(std::vector<const Protocol*> serves, std::vector<const Protocol*> calls);
  ScriptedSide(const ScriptedSide&) = delete;
  ScriptedSide& operator=(const ScriptedSide&) = delete;
  ~ScriptedSide();

  const ServiceTable& services() const { return services_; }
  // What its calls are made over, of the side that connects or not. Null: it is gone.
  void Use(Association* association, bool connects = false) {
    association_ = association;
    connects_ = connects;
  }
  // Does the next thing. What handlers do meanwhile is read from `input` too: set it again, or to
  // null, before it goes.
  void Step(fuzz::Input& input);
  void Read(fuzz::Input* input) { input_ = input; }
  // Lets go of all that it was called with or was sent.
  void LetGo();

  // A call of this side.
  struct Started {
    uint64_t tag = 0;  // Stands in the params, if they have a text.
    bool stream = false;
    bool tagged = false;
    PendingCall pending = {};
    int ends = 0;
    bool good = false;
    uint32_t items = 0;
    uint32_t read = 0;
  };
  const std::vector<std::shared_ptr<Started>>& started() const { return started_; }
  // What a call of the peer came to, by its tag.
  struct Served {
    bool answered = false;  // Well.
    uint32_t items = 0;
  };
  const std::map<uint64_t, Served>& served() const { return served_; }
  // Tags came in the order in which they were sent.
  bool in_order() const { return in_order_; }

 private:
  class Target;
  struct Kept {
    IncomingCall call;
    uint64_t tag;
  };

  void Handle(fuzz::Input& input, capnp::DynamicStruct::Builder field) override;
  void Memory(fuzz::Input& input, capnp::DynamicStruct::Builder field) override;
  void Object(fuzz::Input& input, capnp::DynamicStruct::Builder field) override;
  // Of that type, for the message that is made then.
  void Fill(fuzz::Input& input, OutgoingMessage& message, capnp::StructSchema type, uint64_t tag);

  void Call(fuzz::Input& input);
  void StartCall(OutgoingCall call, std::shared_ptr<Started> started);
  void CancelCall(fuzz::Input& input);
  void ReadItems(fuzz::Input& input);
  void Answer(fuzz::Input& input);
  void SendItem(fuzz::Input& input);
  void Wait(fuzz::Input& input);
  void Forget(fuzz::Input& input);
  void End(fuzz::Input& input);
  void OnCall(IncomingCall call);
  // Takes what the message brings.
  void TakeAll(fuzz::Input& input, IncomingMessage& message, capnp::StructSchema type);

  ServiceTable services_;
  std::vector<std::unique_ptr<Target>> targets_;
  std::vector<const Protocol*> calls_;
  Association* association_ = nullptr;
  bool connects_ = false;
  fuzz::Input* input_ = nullptr;
  OutgoingMessage* filled_ = nullptr;
  uint64_t last_tag_ = 0;
  uint64_t seen_tag_ = 0;
  bool in_order_ = true;
  std::vector<std::shared_ptr<Started>> started_;
  std::map<uint64_t, Served> served_;
  std::vector<Kept> kept_;
  std::vector<std::shared_ptr<Target>> objects_;
  std::vector<lwmsg::Handle<sample::Object>> names_;
  std::vector<OsHandle> handles_;
  std::vector<SharedMemory> memories_;
  std::optional<SharedMemoryPool> pool_;
};

}  // namespace lwmsg::test
