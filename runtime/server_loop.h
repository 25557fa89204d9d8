#pragma once

#include <chrono>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "lwmsg/association.h"
#include "lwmsg/internal/session_host.h"
#include "lwmsg/server.h"
#include "lwmsg/service.h"
#include "lwmsg/state.h"
#include "runtime/frame_stream.h"
#include "runtime/io_loop.h"
#include "runtime/placement.h"
#include "runtime/user_share.h"

namespace lwmsg::internal {

// What Limits::max_associations has to say.
std::string FullText(const Limits& limits);

// The associations of a server that are on one loop, and their sessions. All functions on that
// loop. Destroying it ends them at once.
class ServerLoop {
 public:
  struct Member {
    std::unique_ptr<Association> association;
    Placement::Place place;
  };
  class Owner {
   public:
    // The association has ended, and this has forgotten it. May destroy this.
    virtual void OnEnd(Member member, const Status& reason) = 0;

   protected:
    ~Owner() = default;
  };
  // What the loops of a server share; all of it outlives them.
  struct Shared {
    const ServerOptions& options;  // But for on_session.
    std::shared_ptr<SessionHost::Open> on_session;
    Workers& workers;
  };

  // `owner` outlives it.
  ServerLoop(IoLoop& loop, const Shared& shared, Owner& owner);

  // For associations that are here, and that come.
  ServiceTable& services() { return services_; }
  IoLoop& loop() { return loop_; }
  size_t session_count() const { return sessions_.session_count(); }

  // Starts an association. One that is not `admitted` is told and ends. Does nothing if it throws.
  void Add(std::unique_ptr<Transport> transport, const Placement::Place& place,
           const Status& admitted);
  // The same, over a transport that shares the loop with the others of its user.
  void Add(std::unique_ptr<FrameStream> stream, const Placement::Place& place,
           const Status& admitted);

  void EndAll();
  void DrainAll();
  // Appends what each association is doing.
  void Describe(std::vector<AssociationState>& states) const;

  // Whose end makes room for a client that waits.
  struct Candidate {
    bool ending = false;  // One is closed already: its place is free soon.
    // The one that has been idle longest, and since when; null if none is idle. Only for this loop.
    Association* association = nullptr;
    TimePoint idle_since;
  };
  // Looks at all of them, but only under pressure, and next to the accept and hello that follow it
  // is little.
  Candidate LongestIdle() const;
  // Runs user code last.
  void Evict(const Candidate& candidate);

 private:
  using Members = std::list<Member>;

  // Ending an association runs handlers' callbacks, which may end others or the server.
  template <typename Function>
  void ForEach(Function function);
  void OnEnd(Members::iterator place, const Status& reason);

  IoLoop& loop_;
  const ServerOptions& options_;
  Owner& owner_;
  ServiceTable services_;
  SessionHost sessions_;
  const std::shared_ptr<const Association::Environment> environment_;
  UserShares shares_;
  Members members_;
};

}  // namespace lwmsg::internal
