#include "runtime/server_loop.h"

#include <utility>

#include "lwmsg/internal/link.h"
#include "lwmsg/internal/spare_memory.h"
#include "lwmsg/limit_hits.h"
#include "runtime/stream_transport.h"

namespace lwmsg::internal {

std::string FullText(const Limits& limits) {
  return "the server has " + std::to_string(limits.max_associations) + " associations, " +
         HitLimit(Limit::kMaxAssociations);
}

ServerLoop::ServerLoop(IoLoop& loop, const Shared& shared, Owner& owner)
    : loop_(loop),
      options_(shared.options),
      owner_(owner),
      sessions_(loop, options_.limits.max_objects, shared.on_session),
      environment_(std::make_shared<const Association::Environment>(Association::Environment{
          options_.limits, options_.log, options_.watcher, &sessions_, &shared.workers})),
      shares_(loop, options_.limits) {}

void ServerLoop::Add(std::unique_ptr<FrameStream> stream, const Placement::Place& place,
                     const Status& admitted) {
  auto share = shares_.For(stream->peer());
  Add(std::make_unique<StreamTransport>(loop_, std::move(stream), options_.limits,
                                        std::move(share)),
      place, admitted);
}

void ServerLoop::Add(std::unique_ptr<Transport> transport, const Placement::Place& place,
                     const Status& admitted) {
  const auto member = members_.insert(members_.end(), Member{nullptr, place});
  try {
    Association::Config config;
    config.environment = environment_;
    config.on_end = [this, member](const Status& reason) { OnEnd(member, reason); };
    member->association =
        std::make_unique<Association>(loop_, std::move(transport), services_, std::move(config));
  } catch (const std::bad_alloc&) {
    members_.erase(member);
    throw;
  }
  member->association->Start();
  if (!admitted.ok()) member->association->Close(CopyIfMemory(admitted));
}

void ServerLoop::EndAll() {
  ForEach([](Association& association) { association.Close(Status()); });
}

void ServerLoop::DrainAll() {
  ForEach([](Association& association) { association.Drain(); });
}

void ServerLoop::Describe(std::vector<AssociationState>& states) const {
  for (const Member& member : members_) states.push_back(member.association->Describe());
}

ServerLoop::Candidate ServerLoop::LongestIdle() const {
  Candidate oldest;
  for (const Member& member : members_) {
    Association& association = *member.association;
    oldest.ending = association.state() == Association::State::kClosed;
    if (oldest.ending) return oldest;
    if (!association.idle()) continue;
    if (oldest.association == nullptr || association.last_activity() < oldest.idle_since) {
      oldest.association = &association;
      oldest.idle_since = association.last_activity();
    }
  }
  return oldest;
}

void ServerLoop::Evict(const Candidate& candidate) {
  const auto idle =
      std::chrono::duration_cast<std::chrono::milliseconds>(loop_.Now() - candidate.idle_since);
  candidate.association->Close(StatusIfMemory([&] {
    return Status(StatusCode::kUnavailable, "evicted after " + std::to_string(idle.count()) +
                                                " ms idle (" + HitLimit(Limit::kIdleTimeout) +
                                                ") to make room for another client: " +
                                                FullText(options_.limits) + "; connect again");
  }));
}

template <typename Function>
void ServerLoop::ForEach(Function function) {
  std::vector<Link<Association>> links;
  Insist([&] { links.reserve(members_.size()); });
  for (const Member& member : members_) links.push_back(member.association->link());
  for (auto& link : links) {
    if (Association* association = link.get()) function(*association);
  }
}

void ServerLoop::OnEnd(Members::iterator place, const Status& reason) {
  Member member = std::move(*place);
  members_.erase(place);
  owner_.OnEnd(std::move(member), reason);
}

}  // namespace lwmsg::internal
