#include "lwmsg/state.h"

#include <string_view>

namespace lwmsg {
namespace {

std::string Milliseconds(std::chrono::milliseconds time) {
  return std::to_string(time.count()) + " ms";
}

std::string CallLines(std::string_view direction, const std::vector<CallState>& calls) {
  std::string text;
  for (const CallState& call : calls) {
    text += "    " + std::string(direction) + " " + call.name + ", id " + std::to_string(call.id) +
            ", age " + Milliseconds(call.age) + (call.cancelled ? ", cancelled" : "") + "\n";
  }
  return text;
}

}  // namespace

std::string ToString(const AssociationState& state) {
  return "  " + state.phase + " with " + state.peer.ToString() + ", age " +
         Milliseconds(state.age) + ", idle " + Milliseconds(state.idle) + ", " +
         std::to_string(state.queued_bytes) + " bytes queued, " +
         std::to_string(state.session_objects) + " session objects\n" +
         CallLines("incoming", state.incoming) + CallLines("outgoing", state.outgoing);
}

std::string ToString(const ServerState& state) {
  std::string text = std::to_string(state.listeners.size()) + " listeners\n";
  for (const ListenerState& listener : state.listeners) {
    text += "  " + listener.endpoint + (listener.held ? ", held: no place for a client\n" : "\n");
  }
  text += std::to_string(state.associations.size()) + " associations" +
          (state.client_waits ? ", a client waits\n" : "\n");
  for (const LimitHits& limit : state.limit_hits) {
    text +=
        "Limits::" + std::string(limit.name) + " hit " + std::to_string(limit.count) + " times\n";
  }
  for (const AssociationState& association : state.associations) text += ToString(association);
  return text;
}

}  // namespace lwmsg
