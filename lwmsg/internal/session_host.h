#pragma once

#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "lwmsg/executor.h"
#include "lwmsg/internal/link.h"
#include "lwmsg/new_session.h"
#include "lwmsg/session.h"
#include "lwmsg/token.h"

namespace lwmsg::internal {

// The sessions of a server's peers: which associations share one, and when each begins and ends.
// Lives on the loop of its associations, outlives them.
class SessionHost {
 public:
  using Open = UniqueFunction<void(NewSession)>;

  // `open` is asked about each new session; may be null. Hosts on several loops may share one.
  SessionHost(const Executor& executor, uint32_t max_objects, std::shared_ptr<Open> open);

  // Whether somebody must be asked about each new session.
  bool asks() const { return open_ != nullptr; }
  // One more association of the session with this key; an empty key is a session of its own. `done`
  // runs when the session is open or refused, perhaps at once; unless Leave comes first. Error:
  // kPermissionDenied if the key is another process's.
  Result<std::shared_ptr<Session>> Join(const std::string& key, const Token& peer,
                                        UniqueFunction<void(Status)> done);
  // The association is gone. With the last one the session ends, which runs user code.
  void Leave(uint64_t session_id);

  // For NewSession: the answer.
  void Opened(uint64_t session_id, const Status& status);

  size_t session_count() const { return entries_.size(); }
  Link<SessionHost> link() const { return anchor_.link(); }

 private:
  struct Entry {
    std::string key;
    Token peer;
    std::shared_ptr<Session> session;
    size_t associations = 0;
    bool open = false;
    std::vector<UniqueFunction<void(Status)>> waiting;
  };

  Entry* FindKey(const std::string& key);

  Anchor<SessionHost> anchor_{this};
  const Executor& executor_;
  uint32_t max_objects_;
  // Shared with who runs it, as it may destroy this.
  std::shared_ptr<Open> open_;
  std::unordered_map<uint64_t, Entry> entries_;       // By session id.
  std::unordered_map<std::string, uint64_t> by_key_;  // Session ids.
};

}  // namespace lwmsg::internal
