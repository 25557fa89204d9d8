#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace lwmsg::internal {

// What CheckPath found.
struct PathCheck {
  // Of a name that could not be looked at, as one that is not there (errno); 0: none.
  int error = 0;
  // Who else could change where the path leads; empty: nobody.
  std::string danger;
};

// Looks whether only root, this user and, if given, `other` can change where `path` leads: each
// folder on the way, those behind symbolic links too, must be one of theirs, and nobody else's to
// write to. In one like /tmp (sticky, unlink(2)) the name that is followed must be one of theirs.
// What passed cannot be changed by others afterwards. One lstat for each name.
PathCheck CheckPath(const std::string& path, std::optional<uint32_t> other);

// The same up to the folder of `path`, in which that name may still be made.
PathCheck CheckFolderOf(const std::string& path);

}  // namespace lwmsg::internal
