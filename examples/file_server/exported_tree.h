#pragma once

#include <lwmsg/lwmsg.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

enum class OpenMode { kRead, kWrite };

// The folder that a server offers. Opens files below it with the server's rights for callers that
// have the rights themselves: to search every folder on the way, then to read or write the file,
// or to make files in its folder.
//
// No check can be outrun by a change of the tree: each is of what is open already. Refused whatever
// the rights: symbolic links (on Windows all reparse points) and "..", which lead where nobody
// checked; everything but regular files; other file systems, as in /proc the mode is not all that
// protects a file; and writing set-user-id files, which would stay so when a privileged server
// writes them.
class ExportedTree {
 public:
  // Error: with the code that fits what the system says.
  static lwmsg::Result<ExportedTree> Open(const std::string& folder);

  // Opens `path`, "/below/the/folder". For writing it makes the file, which then belongs to
  // `caller`, or empties it. Errors say what was refused to whom, and why.
  lwmsg::Result<lwmsg::OsHandle> OpenFor(const lwmsg::Token& caller, const std::string& path,
                                         OpenMode mode) const;

 private:
  // The open folder: posix/ and windows/.
  struct Root;

  explicit ExportedTree(std::shared_ptr<const Root> root) : root_(std::move(root)) {}

  std::shared_ptr<const Root> root_;
};

// The names in "/below/the/folder". Error: kInvalidArgument.
lwmsg::Result<std::vector<std::string>> SplitPath(const std::string& path);
