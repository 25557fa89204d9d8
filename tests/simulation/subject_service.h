#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "lwmsg/lwmsg.h"
#include "lwmsg/simulation.h"
#include "subject.lwmsg.h"

namespace lwmsg::test {

// What a call of `late` or `hurry` came to.
enum class Decision { kReply, kDrop, kFail, kThrow, kDropWhenCancelled };

// An object of Subject's sessions.
class Item final : public subject::ItemService {
 public:
  explicit Item(size_t& alive) : alive_(alive) { ++alive_; }
  Item(const Item&) = delete;
  Item& operator=(const Item&) = delete;
  ~Item() override { --alive_; }
  void Add(AddCall call) override;

  uint32_t count = 0;

 private:
  size_t& alive_;
};

// Serves Subject, and decides by the simulation's seed how.
class SubjectService final : public subject::SubjectService {
 public:
  explicit SubjectService(Simulation& simulation) : simulation_(simulation) {}

  void Echo(EchoCall call) override;
  void Late(LateCall call) override;
  void Pass(PassCall call) override;
  void Note(NoteCall call) override;
  void Count(CountCall call) override;
  void Make(MakeCall call) override;
  void Use(UseCall call) override;
  void Drop(DropCall call) override;
  void CallBack(CallBackCall call) override;
  void Block(BlockCall call) override;
  void Hurry(HurryCall call) override;

  // For each `late` that came.
  const std::map<uint64_t, Decision>& decisions() const { return decisions_; }
  size_t items_alive() const { return items_alive_; }
  size_t calls() const { return calls_; }
  // How many one-way calls are kept at a time, before they go: the most there were.
  size_t most_notes() const { return most_notes_; }
  void KeepNotes() { keeps_notes_ = true; }
  // From now on callers may answer whatever they like.
  void Distrust() { trusts_ = false; }

 private:
  // A call came: of one caller and connection the numbers must grow.
  void Came(const Token& peer, uint64_t number);
  template <typename AnyCall>
  void Decide(AnyCall call);

  Simulation& simulation_;
  bool trusts_ = true;
  std::map<std::pair<std::string, uint64_t>, uint64_t> last_numbers_;
  std::map<uint64_t, Decision> decisions_;
  size_t items_alive_ = 0;
  size_t calls_ = 0;
  bool keeps_notes_ = false;
  size_t notes_ = 0;
  size_t most_notes_ = 0;
};

// Serves Listener.
class ListenerService final : public subject::ListenerService {
 public:
  void Notify(NotifyCall call) override;
};

}  // namespace lwmsg::test
