#include "lwmsg/new_session.h"

#include "lwmsg/internal/session_host.h"
#include "lwmsg/internal/spare_memory.h"

namespace lwmsg {
namespace {

Status LetGo() {
  return Status(StatusCode::kAborted,
                internal::TextIfMemory("the service let go of the new session without an answer"));
}

}  // namespace

NewSession::NewSession(internal::LoopRef<internal::SessionHost> host,
                       std::shared_ptr<Session> session, Token peer)
    : host_(std::move(host)), session_(std::move(session)), peer_(std::move(peer)) {}

NewSession& NewSession::operator=(NewSession&& other) noexcept {
  if (this == &other) return *this;
  if (session_) Refuse(LetGo());
  host_ = std::move(other.host_);
  session_ = std::move(other.session_);
  peer_ = std::move(other.peer_);
  return *this;
}

NewSession::~NewSession() {
  if (session_) Refuse(LetGo());
}

void NewSession::Accept() { Answer(Status()); }

void NewSession::Refuse(const Status& reason) {
  Answer(reason.ok() ? Status(StatusCode::kInternal, "the service refused with status OK")
                     : internal::CopyIfMemory(reason));
}

void NewSession::Answer(const Status& status) {
  if (!session_) return;
  const auto session = std::exchange(session_, nullptr);
  host_.Run([id = session->id(), status = internal::CopyIfMemory(status)](
                internal::SessionHost& host) { host.Opened(id, status); });
}

}  // namespace lwmsg
