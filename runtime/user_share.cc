#include "runtime/user_share.h"

#include <algorithm>
#include <limits>

#include "lwmsg/internal/loop_ref.h"
#include "lwmsg/internal/spare_memory.h"
#include "lwmsg/limit_hits.h"

namespace lwmsg::internal {
namespace {

// In one turn, while others read too: some twenty small calls. Whoever waits for each reply before
// the next call meets that much of somebody else's work.
constexpr size_t kRoom = 2048;
// While nobody else reads: who comes meets not much more than that, however many connections are
// full.
constexpr size_t kRoomAlone = 1 << 20;

// OS handles that wait to be closed: some more than a burst of messages that nobody wants brings.
constexpr size_t kMostClosing = 256;

// Who has not read for so long does not wait for a turn. Longer than a round trip to a caller that
// sends its next call when it has the reply.
constexpr uint64_t kTurnsRemembered = 64;

}  // namespace

std::string UserOf(const Token& peer) {
  if (peer.sid()) return *peer.sid();
  return peer.euid() ? std::to_string(*peer.euid()) : std::string();
}

UserShare::UserShare(const IoLoop& loop, UserShares& shares, uint64_t number)
    : loop_(loop),
      shares_(shares),
      number_(number),
      received_(std::make_shared<ReceivedBytes>(shares.max_received_bytes_, TellOfRoom())),
      handles_(std::make_shared<HandleAccount>(shares.max_received_handles_,
                                               std::min(shares.max_received_handles_, kMostClosing),
                                               TellOfRoom())) {}

UniqueFunction<void()> UserShare::TellOfRoom() {
  return [ref = LoopRef<UserShare>(loop_, anchor_.link())] {
    ref.Post(SureTask([link = ref.link()] {
      if (UserShare* self = link.get()) self->OnRoom();
    }));
  };
}

bool UserShare::MayReceiveHandles(Waiter& waiter) {
  if (!handles_->full()) return true;
  CountLimitHit(Limit::kMaxReceivedHandles);
  handles_->WaitForRoom();
  if (!handles_->full()) return true;
  Insist([&] { waiters_.push_back(&waiter); });
  return false;
}

bool UserShare::Begin(size_t bytes, Waiter& waiter) {
  if (!received_->HasRoomFor(bytes)) {
    CountLimitHit(Limit::kMaxReceivedBytes);
    received_->WaitForRoom();
    if (!received_->HasRoomFor(bytes)) {
      Insist([&] { waiters_.push_back(&waiter); });
      return false;
    }
  }
  received_->AddBegun(bytes);
  return true;
}

void UserShare::OnRoom() {
  const auto link = anchor_.link();
  // Those that still find none wait again, behind the others.
  for (size_t left = waiters_.size(); left != 0 && !waiters_.empty(); --left) {
    Waiter* const first = waiters_.front();
    waiters_.pop_front();
    first->OnRoom();
    if (link.get() == nullptr) return;
  }
}

void UserShare::Charge(const Transport::Queued& before, const Transport::Queued& now) {
  queued_.bytes += now.bytes - before.bytes;
  queued_.messages += now.messages - before.messages;
  queued_.handles += now.handles - before.handles;
}

size_t UserShare::ReadRoom(bool again) {
  const uint64_t turns = loop_.turn() - turn_;
  turn_ = loop_.turn();
  if (turns != 0) read_alone_ = 0;
  read_ -= std::min<uint64_t>(read_, turns * kRoom);
  // Each connection has one read, or the first of them would have it all in every turn.
  if (!shares_.contended()) {
    return again && read_alone_ >= kRoomAlone ? 0 : std::numeric_limits<size_t>::max();
  }
  return read_ < kRoom ? kRoom - read_ : 0;
}

void UserShare::Read(size_t bytes) {
  shares_.NoteReader(number_);
  const bool contended = shares_.contended();
  read_ = contended ? read_ + bytes : 0;
  if (!contended) read_alone_ += bytes;
}

std::shared_ptr<UserShare> UserShares::For(const Token& peer) {
  const std::string user = UserOf(peer);
  if (const auto known = shares_.find(user); known != shares_.end()) return known->second;
  std::erase_if(shares_, [](const auto& entry) {
    return entry.second.use_count() == 1 && entry.second->idle();
  });
  auto share = std::make_shared<UserShare>(loop_, *this, ++last_number_);
  shares_[user] = share;
  return share;
}

void UserShares::NoteReader(uint64_t reader) {
  if (last_reader_ != 0 && last_reader_ != reader) {
    contended_until_ = loop_.turn() + kTurnsRemembered;
  }
  last_reader_ = reader;
}

}  // namespace lwmsg::internal
