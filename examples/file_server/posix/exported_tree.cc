#include "exported_tree.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <utility>

#include "access.h"
#include "system_error.h"

using lwmsg::Error;
using lwmsg::OsHandle;
using lwmsg::Result;
using lwmsg::Status;
using lwmsg::StatusCode;
using lwmsg::Token;

namespace {

// O_PATH opens nothing that would notice, such as a device, and needs no right to the file.
Result<OsHandle> Find(const OsHandle& folder, const std::string& name, int flags,
                      const std::string& path) {
  OsHandle found(openat(folder.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC | flags));
  if (!found.valid()) return Error(SystemError("cannot find " + path, errno));
  return found;
}

// Opens what `found` is, whatever bears its name by now.
Result<OsHandle> Reopen(const OsHandle& found, OpenMode mode, const std::string& path) {
  const int flags = mode == OpenMode::kRead ? O_RDONLY : O_WRONLY;
  const std::string name = "/proc/self/fd/" + std::to_string(found.get());
  // O_NONBLOCK: somebody's lease on the file must not stop the server (fcntl(2), "Leases").
  OsHandle file(open(name.c_str(), flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file.valid()) return Error(SystemError("cannot open " + path, errno));
  if (mode == OpenMode::kWrite && ftruncate(file.get(), 0) != 0) {
    return Error(SystemError("cannot empty " + path, errno));
  }
  return file;
}

// Where a path leads: the open folder, and the name of the file in it.
struct Place {
  OsHandle folder;
  std::string folder_path;
  std::string name;
  std::string path() const { return folder_path + "/" + name; }
};

}  // namespace

struct ExportedTree::Root {
  Result<Place> Walk(const Token& caller, const std::string& path) const;
  Result<struct stat> Examine(const OsHandle& file, const std::string& path) const;
  Result<OsHandle> OpenExisting(const Token& caller, const Place& place, OpenMode mode) const;
  Result<OsHandle> Create(const Token& caller, const Place& place) const;

  OsHandle root;
  dev_t device;
};

Result<ExportedTree> ExportedTree::Open(const std::string& folder) {
  OsHandle root(open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  struct stat facts{};
  if (!root.valid() || fstat(root.get(), &facts) != 0) {
    return Error(SystemError("cannot export " + folder, errno));
  }
  return ExportedTree(std::make_shared<Root>(Root{std::move(root), facts.st_dev}));
}

Result<OsHandle> ExportedTree::OpenFor(const Token& caller, const std::string& path,
                                       OpenMode mode) const {
  auto place = root_->Walk(caller, path);
  if (!place) return Error(std::move(place).error());
  auto file = root_->OpenExisting(caller, *place, mode);
  if (file || mode == OpenMode::kRead || file.error().code() != StatusCode::kNotFound) return file;
  return root_->Create(caller, *place);
}

Result<Place> ExportedTree::Root::Walk(const Token& caller, const std::string& path) const {
  auto names = SplitPath(path);
  if (!names) return Error(std::move(names).error());
  auto folder = root.Duplicate();
  std::string folder_path;
  for (size_t i = 0; folder; ++i) {
    auto facts = Examine(*folder, folder_path);
    if (!facts) return Error(std::move(facts).error());
    Status searched = CheckAccess(caller, *facts, kMaySearch, folder_path + "/");
    if (!searched.ok()) return Error(std::move(searched));
    if (i + 1 == names->size()) {
      return Place{std::move(*folder), std::move(folder_path), std::move(names->back())};
    }
    folder_path += "/" + (*names)[i];
    folder = Find(*folder, (*names)[i], O_DIRECTORY, folder_path);
  }
  return Error(std::move(folder).error());
}

Result<struct stat> ExportedTree::Root::Examine(const OsHandle& file,
                                                const std::string& path) const {
  struct stat facts{};
  if (fstat(file.get(), &facts) != 0) return Error(SystemError("cannot look at " + path, errno));
  if (facts.st_dev != device) {
    return Error(StatusCode::kPermissionDenied, path +
                                                    " is on another file system than the folder "
                                                    "that this server exports");
  }
  return facts;
}

Result<OsHandle> ExportedTree::Root::OpenExisting(const Token& caller, const Place& place,
                                                  OpenMode mode) const {
  auto found = Find(place.folder, place.name, 0, place.path());
  if (!found) return found;
  auto facts = Examine(*found, place.path());
  if (!facts) return Error(std::move(facts).error());
  if (!S_ISREG(facts->st_mode)) {
    return Error(StatusCode::kInvalidArgument, place.path() + " is no regular file");
  }
  const unsigned wanted = mode == OpenMode::kRead ? kMayRead : kMayWrite;
  Status allowed = CheckAccess(caller, *facts, wanted, place.path());
  if (!allowed.ok()) return Error(std::move(allowed));
  if (mode == OpenMode::kWrite && (facts->st_mode & (S_ISUID | S_ISGID)) != 0) {
    return Error(StatusCode::kPermissionDenied,
                 place.path() + " runs as its owner or group and is not written for anybody");
  }
  return Reopen(*found, mode, place.path());
}

Result<OsHandle> ExportedTree::Root::Create(const Token& caller, const Place& place) const {
  auto facts = Examine(place.folder, place.folder_path);
  if (!facts) return Error(std::move(facts).error());
  Status allowed = CheckAccess(caller, *facts, kMayWrite | kMaySearch, place.folder_path + "/");
  if (!allowed.ok()) return Error(std::move(allowed));
  if (!caller.euid() || !caller.egid()) {
    return Error(StatusCode::kPermissionDenied,
                 "nobody to own " + place.path() + ": the caller's token lacks user or group");
  }
  OsHandle file(openat(place.folder.get(), place.name.c_str(),
                       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.valid()) return Error(SystemError("cannot make " + place.path(), errno));
  if (fchown(file.get(), *caller.euid(), *caller.egid()) != 0) {
    const int error = errno;
    unlinkat(place.folder.get(), place.name.c_str(), 0);
    return Error(SystemError("cannot give " + place.path() + " to its caller", error));
  }
  return file;
}
