#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>

#include "lwmsg/function.h"
#include "lwmsg/internal/handle_account.h"
#include "lwmsg/internal/link.h"
#include "lwmsg/internal/received.h"
#include "lwmsg/limits.h"
#include "lwmsg/token.h"
#include "lwmsg/transport.h"
#include "runtime/io_loop.h"

namespace lwmsg::internal {

// Whom the peer belongs to, where something is counted by user: the user's number or SID. All that
// are unknown are one user, "".
std::string UserOf(const Token& peer);

class UserShares;

// What the associations of one user, together, have of one loop. On that loop.
class UserShare {
 public:
  // Waits until a message that has begun to arrive may come in.
  class Waiter {
   public:
    // There may be room now.
    virtual void OnRoom() = 0;

   protected:
    ~Waiter() = default;
  };

  // `number`: as no other of `shares` has had.
  UserShare(const IoLoop& loop, UserShares& shares, uint64_t number);
  UserShare(const UserShare&) = delete;
  UserShare& operator=(const UserShare&) = delete;

  // What one of them has queued was `before` and is `now`.
  void Charge(const Transport::Queued& before, const Transport::Queued& now);
  const Transport::Queued& queued() const { return queued_; }

  // Whether something may be read that may bring OS handles. False: too many of this user's are
  // still to be closed, and `waiter` is told as by Begin.
  bool MayReceiveHandles(Waiter& waiter);
  // Holds those that are read.
  const std::shared_ptr<HandleAccount>& handles() const { return handles_; }

  // Counts a message of so many bytes that has begun to arrive. False: there is no room, and
  // `waiter` is told, once, when there may be; it forgets that before it goes.
  bool Begin(size_t bytes, Waiter& waiter);
  void Forget(Waiter& waiter) { std::erase(waiters_, &waiter); }
  // It has arrived, or never will.
  void End(size_t begun) { received_->RemoveBegun(begun); }
  // Counts one that has arrived.
  Received Arrived(size_t bytes) { return {received_, bytes + kMessageState}; }

  // Nothing of its user's is here.
  bool idle() const { return received_->empty() && handles_->empty(); }

  // How many bytes may be read for them now, on a connection from which was read before in this
  // turn if `again`; 0: others come first, and the loop's next turn brings more. As long as nobody
  // else reads, all have a MiB in a turn, and each connection a read.
  size_t ReadRoom(bool again);
  // So many were read. More than the room is paid back in later turns.
  void Read(size_t bytes);

 private:
  // What a message takes besides its bytes, roughly.
  static constexpr size_t kMessageState = 512;

  // Told, once, later: whoever lets go of something may be anywhere.
  UniqueFunction<void()> TellOfRoom();
  void OnRoom();

  Anchor<UserShare> anchor_{this};
  const IoLoop& loop_;
  UserShares& shares_;
  const uint64_t number_;
  Transport::Queued queued_;
  const std::shared_ptr<ReceivedBytes> received_;
  const std::shared_ptr<HandleAccount> handles_;
  std::deque<Waiter*> waiters_;
  uint64_t turn_ = 0;      // In which was asked last,
  size_t read_ = 0;        // how much of the room is used up while others read too,
  size_t read_alone_ = 0;  // and in this turn while nobody does.
};

// The shares of all users of one loop. Outlives their use, if not them.
class UserShares {
 public:
  UserShares(const IoLoop& loop, const Limits& limits)
      : loop_(loop),
        max_received_bytes_(limits.max_received_bytes),
        // One message may have as many.
        max_received_handles_(
            std::max<size_t>(limits.max_received_handles, limits.max_frame_handles)) {}

  std::shared_ptr<UserShare> For(const Token& peer);

 private:
  friend class UserShare;

  // Whether more than one user reads in these turns.
  bool contended() const { return loop_.turn() < contended_until_; }
  void NoteReader(uint64_t reader);

  const IoLoop& loop_;
  const size_t max_received_bytes_;
  const size_t max_received_handles_;
  // Those of users who have connections, or had some and left something in handlers' hands.
  std::map<std::string, std::shared_ptr<UserShare>> shares_;
  uint64_t last_number_ = 0;
  uint64_t last_reader_ = 0;  // By number; 0: nobody.
  uint64_t contended_until_ = 0;
};

}  // namespace lwmsg::internal
