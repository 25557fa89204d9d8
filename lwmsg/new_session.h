#pragma once

#include <memory>
#include <utility>

#include "lwmsg/internal/loop_ref.h"
#include "lwmsg/session.h"
#include "lwmsg/token.h"

namespace lwmsg {

namespace internal {
class SessionHost;
}

// A caller that comes for the first time, and the duty to let it in or not: what
// ServerOptions::on_session gets. Calls of that caller wait for the answer, which may come later
// and from any thread. Move-only; dropped unanswered, the caller is refused with kAborted.
class NewSession {
 public:
  NewSession(internal::LoopRef<internal::SessionHost> host, std::shared_ptr<Session> session,
             Token peer);
  NewSession(NewSession&&) noexcept = default;
  NewSession& operator=(NewSession&& other) noexcept;
  ~NewSession();

  // Who wants to come in, as the kernel reported it.
  const Token& peer() const { return peer_; }
  // Lets the caller in. `data` is what handlers get from Call::session_data<T>; it goes when the
  // session has ended, after the session's objects.
  template <typename T>
  void Accept(std::shared_ptr<T> data) {
    if (!session_) return;
    session_->set_data(std::move(data));
    Accept();
  }
  void Accept();
  // The caller's calls fail with this status. OK counts as kInternal.
  void Refuse(const Status& reason);

 private:
  void Answer(const Status& status);

  internal::LoopRef<internal::SessionHost> host_;
  std::shared_ptr<Session> session_;  // Null once answered.
  Token peer_;
};

}  // namespace lwmsg
