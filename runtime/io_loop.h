#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "lwmsg/executor.h"
#include "lwmsg/os_handle.h"
#include "runtime/adaptive_wait.h"

namespace lwmsg::internal {

// Something with output that can wait until the end of the loop's turn, so that all that was sent
// in the turn goes out in one system call.
class Flushable {
 public:
  virtual void Flush() = 0;

 protected:
  ~Flushable() = default;
};

// An executor that also waits for what the system has. Two exist: UvLoop for clients and servers,
// and BlockingLoop. Everything above is the same for both.
class IoLoop : public Executor {
 public:
  struct Ready {
    bool readable;
    bool writable;
    // Wanted: the reader can wait in its read, if there is nothing else to wait for. Happened: it
    // shall.
    bool in_read = false;
  };
  using ReadyCallback = UniqueFunction<void(Ready)>;

  // Watches one socket, or on Windows one event object, which outlives it. Destroying it, also
  // inside its callback, ends that.
  class Watch {
   public:
    virtual ~Watch() = default;
    // What to wait for; both false: nothing. Errors and hang-ups count as what is waited for, and
    // an event object that is set as both.
    virtual void Want(Ready wanted) = 0;
  };

  // Waits for nothing at first. Error: kInternal if the system refuses.
  virtual Result<std::unique_ptr<Watch>> MakeWatch(OsHandle::Native native,
                                                   ReadyCallback callback) = 0;

  // A stream has read something: a look for it was not in vain.
  virtual void NoteArrival() { ++arrivals_; }

  // How long this loop looks for what may come before it sleeps, at most; see AdaptiveWait.
  void SetBusyWait(std::chrono::microseconds longest) { adaptive_.set_longest(longest); }
  std::chrono::microseconds busy_wait() const { return adaptive_.longest(); }

  // Whether this loop uses Ready::in_read.
  virtual bool sleeps_in_reads() const { return false; }

  // Between them the loop does not run out, as if it watched a socket. They nest.
  virtual void Hold() = 0;
  virtual void Unhold() = 0;

  // Calls `flushable.Flush()` once before the loop waits again. Forget it before it goes.
  void FlushAtEndOfTurn(Flushable& flushable);
  void ForgetFlush(Flushable& flushable);

  // Grows from one wait of the loop to the next.
  uint64_t turn() const { return turn_; }

  // One buffer for all reads of the loop; its content counts until the next read.
  std::span<std::byte> read_buffer();

 protected:
  AdaptiveWait& adaptive() { return adaptive_; }
  uint64_t arrivals() const { return arrivals_; }
  void FlushAll();
  bool has_flushes() const { return !flushes_.empty(); }

 private:
  std::vector<Flushable*> flushes_;
  std::unique_ptr<std::byte[]> read_buffer_;
  AdaptiveWait adaptive_;
  uint64_t arrivals_ = 0;
  uint64_t turn_ = 0;
};

}  // namespace lwmsg::internal
