#pragma once

#include <lwmsg/lwmsg.h>
#include <sys/stat.h>

#include <string>
#include <vector>

enum class OpenMode { kRead, kWrite };

// The folder that a server offers. Opens files below it with the server's rights for callers that
// have the rights themselves: to search every folder on the way, then to read or write the file,
// or to make files in its folder.
//
// No check can be outrun by a change of the tree: each is of what is open already. Refused whatever
// the rights: symbolic links and "..", which lead where nobody checked; everything but regular
// files; other file systems, as in /proc the mode is not all that protects a file; and writing
// set-user-id files, which would stay so when a privileged server writes them.
class ExportedTree {
 public:
  // Error: as SystemError.
  static lwmsg::Result<ExportedTree> Open(const std::string& folder);

  // Opens `path`, "/below/the/folder". For writing it makes the file, which then belongs to
  // `caller`, or empties it. Errors say what was refused to whom, and why.
  lwmsg::Result<lwmsg::OsHandle> OpenFor(const lwmsg::Token& caller, const std::string& path,
                                         OpenMode mode) const;

 private:
  // Where a path leads: the open folder, and the name of the file in it.
  struct Place;

  ExportedTree(lwmsg::OsHandle root, dev_t device) : root_(std::move(root)), device_(device) {}
  lwmsg::Result<Place> Walk(const lwmsg::Token& caller, const std::string& path) const;
  lwmsg::Result<struct stat> Examine(const lwmsg::OsHandle& file, const std::string& path) const;
  lwmsg::Result<lwmsg::OsHandle> OpenExisting(const lwmsg::Token& caller, const Place& place,
                                              OpenMode mode) const;
  lwmsg::Result<lwmsg::OsHandle> Create(const lwmsg::Token& caller, const Place& place) const;

  lwmsg::OsHandle root_;
  dev_t device_;
};

// "what: why it failed", under the code that fits this errno.
lwmsg::Status SystemError(const std::string& what, int error);
