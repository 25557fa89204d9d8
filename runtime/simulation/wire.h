#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lwmsg/call_watcher.h"
#include "lwmsg/limits.h"
#include "lwmsg/os_handle.h"
#include "runtime/send_queue.h"
#include "runtime/simulation/monitor.h"
#include "runtime/simulation/world.h"

namespace lwmsg::internal {

// One direction of a connection: bytes on their way, and OS handles on some of them. What was
// written arrives in parts. Like a Unix stream socket's: handles come with the first byte that they
// were written with, and a read ends behind the write that had some.
class Pipe final : private Actor {
 public:
  Pipe(World& world, std::string name);

  // Takes as much as there is room for, and then the handles, which come with the first of it.
  size_t Write(std::span<const SendQueue::Piece> pieces, std::span<OsHandle> handles);
  bool has_room() const { return bytes_.size() < capacity_; }
  // Somebody else writes in the writer's name: all of it, whatever room there is.
  void Inject(std::string_view bytes, std::vector<OsHandle> handles);
  // Neither side has ended it.
  bool is_open() const { return !write_ended_ && !reading_ended_; }
  // Nothing is written any more.
  void EndWriting() { write_ended_ = true; }
  // The same, and some of what is on its way is lost.
  void Cut();

  // Something can be read, or the end.
  bool readable() const { return arrived_ != 0 || end_arrived_; }
  bool at_end() const { return arrived_ == 0 && end_arrived_; }
  // Whether the end came from Cut.
  bool was_cut() const { return cut_; }
  // Reads up to `size` bytes and the handles that come with them.
  std::string Read(size_t size, std::vector<OsHandle>& handles);
  // Nobody reads any more: what is there goes, with its handles.
  void EndReading();
  bool reading_ended() const { return reading_ended_; }

  size_t unread() const { return bytes_.size(); }

 private:
  struct Riders {
    uint64_t first;  // Where they ride: counted from the first byte ever written,
    uint64_t end;    // and where what was written with them ends.
    std::vector<OsHandle> handles;
  };

  bool CanAct() override;
  // Lets some of it arrive.
  void Act() override;

  const size_t capacity_;
  std::string bytes_;   // Not read yet.
  size_t arrived_ = 0;  // Of them.
  uint64_t read_ = 0;   // Before them.
  std::deque<Riders> riders_;
  bool write_ended_ = false;
  bool end_arrived_ = false;
  bool cut_ = false;
  bool reading_ended_ = false;
};

// A connection, and what is known of the calls on it.
class Wire {
 public:
  // `label` tells it apart, and is that of both sides' tokens.
  Wire(World& world, std::string label);

  const std::string& label() const { return label_; }
  // What `side` writes to.
  Pipe& from(Side side) { return pipes_[side]; }
  bool hung_up(Side side) const { return ends_[side].hung_up; }
  void HangUp(Side side);
  void Lose();
  // Whether the system passes OS handles to `side`.
  bool takes_handles(Side side) const { return ends_[side].takes_handles; }
  void TakeHandles(Side side, bool takes) { ends_[side].takes_handles = takes; }
  void SetLimits(Side side, const Limits& limits);

  // What an honest side writes.
  void Sent(Side side, std::string_view bytes);
  // Somebody interferes: nothing more is expected of either.
  void Taint() { tainted_ = true; }
  bool tainted() const { return tainted_; }

  // As CallWatcher, at `side`.
  void OnBegin(Side side, const CallInfo& call);
  void OnEnd(Side side, const CallInfo& call);
  // The association of `side` is over.
  void OnEnd(Side side, const Status& reason);

  // Nothing moves any more: nothing may be left undone.
  void CheckAtRest();
  void CheckEnded();

 private:
  struct SentCall {
    uint32_t id;
    uint64_t interface_id;
    uint16_t method;
    bool operator==(const SentCall&) const = default;
  };
  struct End {
    bool hung_up = false;
    bool takes_handles = true;
    uint32_t max_calls = 0;
    std::chrono::milliseconds send_timeout{};
    // Sent, and not begun at the other side yet.
    std::deque<SentCall> sent;
    // Under way, by id.
    std::set<uint32_t> outgoing;
    std::set<uint32_t> incoming;
  };

  void Arrived(Side side, const CallInfo& call);
  void Fail(const std::string& what) { world_.Fail(label_ + ": " + what); }

  World& world_;
  const std::string label_;
  std::array<Pipe, 2> pipes_;
  std::array<End, 2> ends_;
  Monitor monitor_;
  bool tainted_ = false;
};

}  // namespace lwmsg::internal
