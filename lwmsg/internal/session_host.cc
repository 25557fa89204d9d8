#include "lwmsg/internal/session_host.h"

#include <new>
#include <utility>

namespace lwmsg::internal {
namespace {

// Known and the same: a process that the kernel cannot tell apart shares no session.
bool SameProcess(const Token& a, const Token& b) {
  const bool known = a.sid() || (a.euid() && a.egid());
  return known && a.pid() && a.pid() == b.pid() && a.sid() == b.sid() && a.euid() == b.euid() &&
         a.egid() == b.egid();
}

}  // namespace

SessionHost::SessionHost(const Executor& executor, uint32_t max_objects, std::shared_ptr<Open> open)
    : executor_(executor), max_objects_(max_objects), open_(std::move(open)) {}

SessionHost::Entry* SessionHost::FindKey(const std::string& key) {
  auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : &entries_.at(found->second);
}

Result<std::shared_ptr<Session>> SessionHost::Join(const std::string& key, const Token& peer,
                                                   UniqueFunction<void(Status)> done) {
  Entry* known = FindKey(key);
  if (known != nullptr) {
    if (!SameProcess(known->peer, peer)) {
      return Error(StatusCode::kPermissionDenied,
                   "the session key is that of another process; a session is for one process");
    }
    auto session = known->session;
    if (!known->open) {
      known->waiting.push_back(std::move(done));
      ++known->associations;
    } else {
      ++known->associations;
      done(Status());
    }
    return session;
  }
  const auto link = anchor_.link();
  auto session = std::make_shared<Session>(max_objects_);
  Entry& entry = entries_[session->id()];
  try {
    entry = {key, peer, session, 1, !open_, {}};
    if (!key.empty()) by_key_[key] = session->id();
    if (entry.open) {
      done(Status());
      return session;
    }
    entry.waiting.push_back(std::move(done));
    const auto constructor = open_;
    (*constructor)(NewSession(LoopRef<SessionHost>(executor_, anchor_.link()), session, peer));
    return session;
  } catch (const std::bad_alloc&) {
    // Nobody joined it.
    if (link.get() != nullptr) {
      by_key_.erase(key);
      entries_.erase(session->id());
    }
    throw;
  }
}

void SessionHost::Opened(uint64_t session_id, const Status& status) {
  auto found = entries_.find(session_id);
  if (found == entries_.end()) return;  // All its associations are gone.
  found->second.open = status.ok();
  auto waiting = std::exchange(found->second.waiting, {});
  for (auto& done : waiting) done(status);
}

void SessionHost::Leave(uint64_t session_id) {
  auto found = entries_.find(session_id);
  if (found == entries_.end() || --found->second.associations != 0) return;
  const auto session = found->second.session;
  const auto waiting = std::move(found->second.waiting);
  by_key_.erase(found->second.key);
  entries_.erase(found);
  session->End();
}

}  // namespace lwmsg::internal
