#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "lwmsg/token.h"

namespace lwmsg::internal {

// Which loop of a server carries which association, and how many there are. The associations of a
// process are on one loop, as it is there that they find the session that they share. Counts by
// user too, but for this process's own.
class Placement {
 public:
  struct User {
    std::string name;  // As UserOf.
    size_t associations = 0;
  };
  struct Place {
    size_t loop = 0;
    // Whose it is; null: this process's own user's. There until Leave.
    User* user = nullptr;
    // The pid under which this one is counted, if it is.
    std::optional<uint32_t> process = {};
  };

  // At least one loop.
  explicit Placement(size_t loops);

  // Counts one more association: on the loop of its process, or else where the fewest are.
  Place Enter(const Token& peer);
  // The same on the first loop, wherever the others of its process are.
  Place EnterFirst(const Token& peer);
  void Leave(const Place& place);

  // On all loops.
  size_t count() const { return count_; }

 private:
  struct Process {
    size_t loop;
    size_t associations;
  };

  Place EnterAt(size_t loop, const Token& peer);
  User* EnterUser(const Token& peer);

  const std::string own_user_;
  size_t count_ = 0;
  std::vector<size_t> loads_;                        // Associations of each loop.
  std::unordered_map<uint32_t, Process> processes_;  // By pid; empty with one loop.
  std::unordered_map<std::string, User> users_;
};

}  // namespace lwmsg::internal
