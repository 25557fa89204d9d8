#include "runtime/placement.h"

#include <algorithm>
#include <utility>

#include "lwmsg/internal/spare_memory.h"
#include "runtime/platform.h"
#include "runtime/user_share.h"

namespace lwmsg::internal {

Placement::Placement(size_t loops) : own_user_(UserOf(OwnToken())), loads_(loops) {}

Placement::Place Placement::Enter(const Token& peer) {
  if (loads_.size() == 1) return EnterFirst(peer);
  if (peer.pid()) {
    const auto known = processes_.find(*peer.pid());
    if (known != processes_.end()) return EnterAt(known->second.loop, peer);
  }
  const auto fewest = std::min_element(loads_.begin(), loads_.end());
  return EnterAt(static_cast<size_t>(fewest - loads_.begin()), peer);
}

Placement::Place Placement::EnterFirst(const Token& peer) {
  if (loads_.size() != 1) return EnterAt(0, peer);
  User* const user = EnterUser(peer);
  ++count_;
  return {.user = user};
}

Placement::User* Placement::EnterUser(const Token& peer) {
  std::string name = UserOf(peer);
  if (name == own_user_) return nullptr;
  User& user = users_[name];
  user.name = std::move(name);
  ++user.associations;
  return &user;
}

Placement::Place Placement::EnterAt(size_t loop, const Token& peer) {
  Place place = {.loop = loop, .user = EnterUser(peer)};
  ++count_;
  ++loads_[loop];
  if (!peer.pid()) return place;
  Process* process = nullptr;
  IfMemory([&] { process = &processes_.try_emplace(*peer.pid(), Process{loop, 0}).first->second; });
  // Others of it may be elsewhere, and it stays there.
  if (process == nullptr || process->loop != loop) return place;
  ++process->associations;
  place.process = peer.pid();
  return place;
}

void Placement::Leave(const Place& place) {
  --count_;
  if (place.user != nullptr && --place.user->associations == 0) {
    users_.erase(std::string(place.user->name));
  }
  if (loads_.size() == 1) return;
  --loads_[place.loop];
  if (!place.process) return;
  const auto process = processes_.find(*place.process);
  if (--process->second.associations == 0) processes_.erase(process);
}

}  // namespace lwmsg::internal
