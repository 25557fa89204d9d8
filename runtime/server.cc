#include "lwmsg/server.h"

#include <algorithm>
#include <condition_variable>
#include <iterator>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "lwmsg/internal/spare_memory.h"
#include "lwmsg/limit_hits.h"
#include "runtime/direct.h"
#include "runtime/placement.h"
#include "runtime/platform.h"
#include "runtime/server_loop.h"
#include "runtime/server_thread.h"
#include "runtime/thread_pool.h"
#include "runtime/uv_loop.h"

namespace lwmsg {
namespace {

using internal::FullText;
using internal::Placement;
using internal::ServerLoop;
using internal::ServerThread;

// Each association has its socket and its peer's process. What is left over is for what messages
// bring and for the process itself: without it the kernel drops an innocent client's descriptors.
size_t MostAssociations() { return internal::MostHandles() / 4 * 3 / 2; }
size_t HandlesFor(size_t associations) { return associations * 2 / 3 * 4; }

// Between two looks for somebody to evict, however short Limits::idle_timeout is.
constexpr std::chrono::milliseconds kShortest{10};

}  // namespace

// Listens, counts, and spreads the associations over the loops. What is about all of them happens
// on the server's loop: the others tell it what it must know, and never wait for it.
class Server::Impl final : private internal::Listener::Acceptor, private ServerLoop::Owner {
 public:
  Impl(Loop& loop, ServerOptions options)
      : loop_(loop.impl()),
        options_(std::move(options)),
        on_end_(internal::Share(std::move(options_.on_end))),
        on_session_(internal::Share(std::move(options_.on_session))),
        workers_(options_.threads),
        placement_(std::max(options_.loops, 1U)),
        here_(loop_, SharedByLoops(), *this),
        drain_timer_(loop.impl(), [this] { EndAll(); }),
        evict_timer_(loop.impl(), [this] { MakeRoom(); }) {
    LimitAssociations();
    // Of one user, so that some is left for others' messages.
    options_.limits.max_received_handles =
        std::min(options_.limits.max_received_handles, internal::MostHandles() / 8);
    internal::ReserveHandles(HandlesFor(options_.limits.max_associations));
    while (threads_.size() + 1 < options_.loops) {
      threads_.push_back(std::make_unique<ServerThread>(
          loop_.busy_wait(), SharedByLoops(), on_end_,
          [ref = ref()](const Placement::Place& place) {
            ref.Run([place](Impl& server) { server.OnEndElsewhere(place); });
          }));
    }
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    for (const auto& thread : threads_) thread->End();
    if (elsewhere_ != 0) loop_.Unhold();
  }

  Status Serve(Service& service) {
    Status added = here_.services().Add(service);
    if (!added.ok()) return added;
    if (here_.services().takes_handles()) {
      for (const auto& listener : listeners_) listener->TakeHandles(true);
    }
    PostToOthers([&service](ServerLoop& loop) { static_cast<void>(loop.services().Add(service)); });
    return added;
  }

  size_t association_count() const { return placement_.count(); }

  Status Listen(std::string_view text, const ListenOptions& options) {
    auto endpoint = Endpoint::Parse(text);
    if (!endpoint) return std::move(endpoint).error();
    if (endpoint->kind() == Endpoint::Kind::kDirect) {
      return Keep(internal::ListenDirect(
          loop_, endpoint->name(), options_.limits,
          [this](std::unique_ptr<Transport> transport) { AddHere(std::move(transport)); }));
    }
    return Keep(internal::Listen(loop_, *endpoint, options, options_.limits, *this));
  }

  Status ListenOn(OsHandle socket) {
    return Keep(internal::ListenOn(loop_, std::move(socket), options_.limits, *this));
  }

  Status Adopt(OsHandle socket) {
    auto stream = internal::AdoptStream(std::move(socket), options_.limits);
    if (!stream) return std::move(stream).error();
    AddHere(std::move(*stream));
    return Status();
  }

  ServerState State() const {
    ServerState state;
    state.client_waits = client_waits_;
    for (const auto& listener : listeners_) state.listeners.push_back({listener->name(), held_});
    here_.Describe(state.associations);
    if (!threads_.empty()) DescribeOthers(state.associations);
    state.limit_hits = CountLimitHits();
    return state;
  }

  void Stop() {
    EndListening();
    EndAll();
  }

  void Drain(std::chrono::milliseconds deadline, UniqueFunction<void()> done) {
    EndListening();
    draining_ = true;
    drained_ = std::move(done);
    drain_timer_.ArmAfter(deadline);
    PostToOthers([](ServerLoop& loop) { loop.DrainAll(); });
    const auto link = anchor_.link();
    here_.DrainAll();
    if (link.get() == nullptr) return;
    // Later, as all else that calls back.
    loop_.Post([link] {
      if (Impl* self = link.get()) self->ReportDrained();
    });
  }

 private:
  internal::LoopRef<Impl> ref() const { return {loop_, anchor_.link()}; }

  ServerLoop::Shared SharedByLoops() { return {options_, on_session_, workers_}; }

  template <typename Function>
  void PostToOthers(const Function& function) const {
    for (const auto& thread : threads_) thread->Post(function);
  }

  void DescribeOthers(std::vector<AssociationState>& states) const {
    struct Answers {
      std::mutex mutex;
      std::condition_variable changed;
      size_t missing;
      std::vector<AssociationState> states;
    };
    const auto answers = std::make_shared<Answers>();
    answers->missing = threads_.size();
    PostToOthers([answers](ServerLoop& loop) {
      std::vector<AssociationState> there;
      internal::IfMemory([&] { loop.Describe(there); });
      const std::lock_guard lock(answers->mutex);
      internal::IfMemory(
          [&] { std::move(there.begin(), there.end(), std::back_inserter(answers->states)); });
      if (--answers->missing == 0) answers->changed.notify_one();
    });
    std::unique_lock lock(answers->mutex);
    answers->changed.wait(lock, [&answers] { return answers->missing == 0; });
    std::move(answers->states.begin(), answers->states.end(), std::back_inserter(states));
  }

  void LimitAssociations() {
    const size_t most = std::max<size_t>(MostAssociations(), 1);
    if (most >= options_.limits.max_associations) return;
    options_.log.Write(LogLevel::kWarning, [&] {
      return "at most " + std::to_string(most) + " associations at a time, not the " +
             std::to_string(options_.limits.max_associations) +
             " of Limits::max_associations: this process may open only " +
             std::to_string(internal::MostHandles()) + " descriptors (RLIMIT_NOFILE)";
    });
    options_.limits.max_associations = static_cast<uint32_t>(most);
  }

  // --- Associations that come and go.

  // A stream, or DIRECT's transport.
  template <typename Connection>
  void AddHere(std::unique_ptr<Connection> connection) {
    const auto place = placement_.EnterFirst(connection->peer());
    OrLeave(place, [&] { Add(std::move(connection), place); });
  }

  // Adds what has been counted. Without memory for that it is counted no more.
  template <typename Adding>
  void OrLeave(const Placement::Place& place, Adding adding) {
    try {
      adding();
    } catch (const std::bad_alloc&) {
      placement_.Leave(place);
      throw;
    }
  }

  template <typename Connection>
  void Add(std::unique_ptr<Connection> connection, const Placement::Place& place) {
    here_.Add(std::move(connection), place, Admit(place));
    if (full()) Hold();
  }

  // Of one that is counted already.
  Status Admit(const Placement::Place& place) const {
    const auto refused = [](const std::string& why) {
      return Status(StatusCode::kResourceExhausted, why + "; try again later");
    };
    const Limits& limits = options_.limits;
    if (association_count() > limits.max_associations) return refused(FullText(limits));
    if (place.user == nullptr) return Status();
    const size_t most = std::min<size_t>(limits.max_user_associations,
                                         limits.max_associations - (association_count() - 1));
    const size_t before = place.user->associations - 1;
    if (before < std::max<size_t>(most, 1)) return Status();
    const std::string user = place.user->name.empty() ? "peers of unknown users have "
                                                      : "user " + place.user->name + " has ";
    if (before >= limits.max_user_associations) {
      return refused(user + std::to_string(before) + " associations, " +
                     internal::HitLimit(internal::Limit::kMaxUserAssociations));
    }
    return refused(user + std::to_string(before) +
                   " associations, as many as are left for others of the " +
                   std::to_string(limits.max_associations) + " of " +
                   internal::HitLimit(internal::Limit::kMaxAssociations));
  }

  void AddElsewhere(std::unique_ptr<internal::FrameStream> stream, const Placement::Place& place) {
    threads_[place.loop - 1]->Post([stream = std::move(stream), admitted = Admit(place), place,
                                    ref = ref()](ServerLoop& loop) mutable {
      if (internal::IfMemory([&] { loop.Add(std::move(stream), place, admitted); })) return;
      ref.Run([place](Impl& server) { server.OnEndElsewhere(place); });
    });
    // This loop does not see them, and shall not run out while they are there.
    if (elsewhere_++ == 0) loop_.Hold();
    if (full()) Hold();
  }

  bool full() const { return association_count() >= options_.limits.max_associations; }

  bool crowded() const { return full() || short_of_handles_; }

  void OnAccepted(std::unique_ptr<internal::FrameStream> stream) override {
    if (std::exchange(short_of_handles_, false) && !held_) Resume();
    const auto place = placement_.Enter(stream->peer());
    OrLeave(place, [&] {
      if (place.loop != 0) return AddElsewhere(std::move(stream), place);
      Add(std::move(stream), place);
    });
  }

  // True if this is still there.
  bool Left(const Placement::Place& place) {
    const auto link = anchor_.link();
    placement_.Leave(place);
    short_of_handles_ = false;
    internal::IfMemory([this] { full() ? MakeRoom() : Resume(); });
    return link.get() != nullptr;
  }

  void OnEnd(ServerLoop::Member member, const Status& reason) override {
    const auto link = anchor_.link();
    const auto on_end = on_end_;
    if (!Left(member.place)) return;
    if (on_end) (*on_end)(member.association->peer(), reason);
    if (Impl* self = link.get()) self->ReportDrained();
  }

  void OnEndElsewhere(const Placement::Place& place) {
    if (--elsewhere_ == 0) loop_.Unhold();
    if (Left(place)) ReportDrained();
  }

  // --- Listening.

  void OnRefused(const internal::Listener& listener, const Status& reason) override {
    options_.log.Write(LogLevel::kWarning,
                       [&] { return listener.name() + " refused a client: " + reason.ToString(); });
  }

  void OnAcceptFailed(const internal::Listener& listener, const Status& reason) override {
    options_.log.Write(LogLevel::kError, [&] {
      return listener.name() + " pauses: " + reason.ToString() + "; tried again in a moment";
    });
    if (reason.code() != StatusCode::kResourceExhausted) return;
    short_of_handles_ = true;
    OnClientWaits();
  }

  void OnClientWaits() override {
    client_waits_ = true;
    MakeRoom();
  }

  Status Keep(Result<std::unique_ptr<internal::Listener>> listener) {
    if (!listener) return std::move(listener).error();
    listeners_.push_back(std::move(*listener));
    listeners_.back()->TakeHandles(here_.services().takes_handles());
    options_.log.Write(LogLevel::kInfo,
                       [this] { return "listening at " + listeners_.back()->name(); });
    if (full()) Hold();
    return Status();
  }

  void EndListening() {
    listeners_.clear();
    held_ = false;
    client_waits_ = false;
    evict_timer_.Disarm();
  }

  // --- At Limits::max_associations, or without handles for another.

  void Hold() {
    for (auto& listener : listeners_) listener->Hold();
    if (listeners_.empty() || std::exchange(held_, true)) return;
    options_.log.Write(LogLevel::kWarning, [this] {
      return "listening pauses: " + FullText(options_.limits) + "; clients wait in the backlog";
    });
  }

  void Resume() {
    evict_timer_.Disarm();
    client_waits_ = false;
    if (!std::exchange(held_, false)) return;
    for (auto& listener : listeners_) listener->Resume();
    // Who resumes first is served first: each in its turn.
    std::rotate(listeners_.begin(), listeners_.begin() + 1, listeners_.end());
    options_.log.Write(LogLevel::kInfo, [] { return std::string("listening goes on"); });
  }

  // Ends the longest idle association for a client that waits, or sees when it could. The other
  // loops are asked first; what happens meanwhile makes their answers old, and they are asked
  // again. May run user code, last.
  void MakeRoom() {
    if (!client_waits_ || !crowded()) return;
    if (unanswered_ != 0) {
      ask_again_ = true;
      return;
    }
    ask_again_ = false;
    candidates_.clear();
    if (threads_.empty()) return Choose();
    unanswered_ = threads_.size();
    for (size_t i = 0; i < threads_.size(); ++i) {
      threads_[i]->Post([ref = ref(), i](ServerLoop& loop) {
        ref.Run([i, found = loop.LongestIdle()](Impl& server) { server.OnCandidate(i, found); });
      });
    }
  }

  void OnCandidate(size_t thread, const ServerLoop::Candidate& candidate) {
    internal::Insist([&] { candidates_.push_back({threads_[thread].get(), candidate}); });
    if (--unanswered_ != 0) return;
    ask_again_ ? MakeRoom() : Choose();
  }

  void Choose() {
    if (!client_waits_ || !crowded()) return;
    const ServerLoop::Candidate own = here_.LongestIdle();
    internal::Insist([&] { candidates_.push_back({nullptr, own}); });
    const Candidate* oldest = nullptr;
    for (const Candidate& each : candidates_) {
      if (each.found.ending) return;
      if (each.found.association == nullptr) continue;
      if (oldest == nullptr || each.found.idle_since < oldest->found.idle_since) oldest = &each;
    }
    const TimePoint now = loop_.Now();
    // One that is busy now is not idle for that long before this time.
    const TimePoint when =
        (oldest == nullptr ? now : oldest->found.idle_since) + options_.limits.idle_timeout;
    if (oldest == nullptr || when > now) return evict_timer_.Arm(std::max(when, now + kShortest));
    if (oldest->thread == nullptr) return here_.Evict(own);
    EvictElsewhere(*oldest->thread);
  }

  // It may be busy again by now: then another is looked for.
  void EvictElsewhere(ServerThread& thread) {
    unanswered_ = 1;
    thread.Post([ref = ref(), timeout = options_.limits.idle_timeout](ServerLoop& loop) {
      const ServerLoop::Candidate found = loop.LongestIdle();
      const bool evicts = !found.ending && found.association != nullptr &&
                          found.idle_since + timeout <= loop.loop().Now();
      if (evicts) loop.Evict(found);
      ref.Run([done = evicts || found.ending](Impl& server) { server.OnEvicted(done); });
    });
  }

  void OnEvicted(bool done) {
    unanswered_ = 0;
    if (!done || ask_again_) MakeRoom();
  }

  // --- The end of all.

  void EndAll() {
    PostToOthers([](ServerLoop& loop) { loop.EndAll(); });
    here_.EndAll();
  }

  void ReportDrained() {
    if (!draining_ || association_count() != 0) return;
    draining_ = false;
    drain_timer_.Disarm();
    auto done = std::exchange(drained_, {});
    if (done) done();
  }

  struct Candidate {
    ServerThread* thread;  // Null: of the server's loop.
    ServerLoop::Candidate found;
  };

  internal::Anchor<Impl> anchor_{this};
  internal::UvLoop& loop_;
  ServerOptions options_;
  std::shared_ptr<UniqueFunction<void(const Token&, const Status&)>> on_end_;
  std::shared_ptr<internal::SessionHost::Open> on_session_;
  internal::ThreadPool workers_;
  Placement placement_;
  ServerLoop here_;
  std::vector<std::unique_ptr<ServerThread>> threads_;
  size_t elsewhere_ = 0;  // Associations on them.
  bool draining_ = false;
  UniqueFunction<void()> drained_;
  Timer drain_timer_;
  // The listeners hold, as there is no place; and one of them saw a client.
  bool held_ = false;
  bool client_waits_ = false;
  bool short_of_handles_ = false;  // Accepting failed for that.
  Timer evict_timer_;
  // Of the other loops: how many have still to answer, and whether that will be too old.
  size_t unanswered_ = 0;
  bool ask_again_ = false;
  std::vector<Candidate> candidates_;
  std::vector<std::unique_ptr<internal::Listener>> listeners_;
};

Server::Server(Loop& loop, ServerOptions options)
    : impl_(std::make_unique<Impl>(loop, std::move(options))) {}
Server::~Server() = default;

Status Server::Serve(Service& service) {
  return internal::StatusIfMemory([&] { return impl_->Serve(service); });
}
Status Server::Listen(std::string_view endpoint, const ListenOptions& options) {
  return internal::StatusIfMemory([&] { return impl_->Listen(endpoint, options); });
}
Status Server::ListenOn(OsHandle socket) {
  return internal::StatusIfMemory([&] { return impl_->ListenOn(std::move(socket)); });
}
Status Server::Adopt(OsHandle socket) {
  return internal::StatusIfMemory([&] { return impl_->Adopt(std::move(socket)); });
}
void Server::Stop() { impl_->Stop(); }
void Server::Drain(std::chrono::milliseconds deadline, UniqueFunction<void()> done) {
  impl_->Drain(deadline, std::move(done));
}
ServerState Server::State() const { return impl_->State(); }
size_t Server::association_count() const { return impl_->association_count(); }

}  // namespace lwmsg
