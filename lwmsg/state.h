#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "lwmsg/limit_hits.h"
#include "lwmsg/token.h"

namespace lwmsg {

// What an object was doing at one moment, for a person who wants to know why it does not go on.
// Values, copied; asking costs time in proportion to what there is.

struct CallState {
  // "Calculator.add".
  std::string name;
  // As on the wire.
  uint32_t id = 0;
  std::chrono::milliseconds age{};
  // Nobody waits for it any more.
  bool cancelled = false;
};

struct AssociationState {
  Token peer;
  // "greeting", "open", "draining", "closed" (the goodbye is on its way).
  std::string phase;
  std::chrono::milliseconds age{};
  // Since the last message in either direction.
  std::chrono::milliseconds idle{};
  // Bytes that the peer has not taken yet.
  size_t queued_bytes = 0;
  // Associations of one session say the same; 0 before there is one.
  uint64_t session_id = 0;
  size_t session_objects = 0;
  // Calls without an answer: the peer's, and this side's.
  std::vector<CallState> incoming;
  std::vector<CallState> outgoing;
};

struct ListenerState {
  std::string endpoint;
  // At Limits::max_associations: clients stay in the backlog.
  bool held = false;
};

struct ServerState {
  std::vector<ListenerState> listeners;
  std::vector<AssociationState> associations;
  // A client is known to wait for a place.
  bool client_waits = false;
  // Of this process, whatever else it has beside this server.
  std::vector<LimitHits> limit_hits;
};

// Several lines, each with its end.
std::string ToString(const AssociationState& state);
std::string ToString(const ServerState& state);

}  // namespace lwmsg
