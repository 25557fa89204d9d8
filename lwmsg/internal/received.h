#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

#include "lwmsg/function.h"

namespace lwmsg::internal {

// The bytes of messages that one user's peers sent to one loop and that are still in this process:
// on their way into it, or in handlers' hands.
class ReceivedBytes {
 public:
  // `on_room` runs on any thread, when it was asked for.
  ReceivedBytes(size_t most, UniqueFunction<void()> on_room)
      : most_(most), on_room_(std::move(on_room)) {}

  size_t most() const { return most_; }
  // What handlers have is more than that. Any thread.
  bool over() const { return in_hand_ > most_; }

  // On the loop: nothing is counted.
  bool empty() const { return begun_ == 0 && in_hand_ == 0; }

  // On the loop: whether a message of so many bytes may begin. One for which there will never be
  // room may if it is the only one: it is refused when it is there.
  bool HasRoomFor(size_t bytes) const {
    return begun_ + in_hand_ + bytes <= most_ || (begun_ == 0 && bytes > most_);
  }
  // Runs `on_room` when the next goes. Ask again after it: some may have come before.
  void WaitForRoom() { waits_ = true; }
  void AddBegun(size_t bytes) { begun_ += bytes; }
  void RemoveBegun(size_t bytes) {
    begun_ -= bytes;
    TellOfRoom();
  }

  // Any thread.
  void AddInHand(size_t bytes) { in_hand_ += bytes; }
  void RemoveFromHand(size_t bytes) {
    in_hand_ -= bytes;
    TellOfRoom();
  }

 private:
  void TellOfRoom() {
    if (waits_ && waits_.exchange(false)) on_room_();
  }

  const size_t most_;
  UniqueFunction<void()> on_room_;
  size_t begun_ = 0;
  std::atomic<size_t> in_hand_ = 0;
  std::atomic<bool> waits_ = false;
};

// One message's part of what is in hand: counted until this goes, on whatever thread.
class Received {
 public:
  Received() = default;
  Received(std::shared_ptr<ReceivedBytes> all, size_t bytes) : all_(std::move(all)), bytes_(bytes) {
    all_->AddInHand(bytes_);
  }
  Received(Received&& other) noexcept = default;
  Received& operator=(Received&& other) noexcept {
    std::swap(all_, other.all_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Received() {
    if (all_) all_->RemoveFromHand(bytes_);
  }

  // Null: it is not counted.
  const std::shared_ptr<ReceivedBytes>& all() const { return all_; }

 private:
  std::shared_ptr<ReceivedBytes> all_;
  size_t bytes_ = 0;
};

}  // namespace lwmsg::internal
