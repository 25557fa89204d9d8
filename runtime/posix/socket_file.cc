#include "runtime/posix/socket_file.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <string>
#include <vector>

#include "lwmsg/internal/spare_memory.h"
#include "runtime/posix/path_check.h"
#include "runtime/posix/socket_address.h"

namespace lwmsg::internal {
namespace {

constexpr uint32_t kUnchanged = static_cast<uint32_t>(-1);  // For chown(2).

std::optional<uint32_t> ParseNumber(const std::string& text) {
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// The number of a user or group given by number or name; `find` is getpwnam_r or getgrnam_r.
template <typename Record, typename Find, typename Id>
Result<uint32_t> LookUp(const char* kind, const std::string& name, Find find, Id Record::* id) {
  if (name.empty()) return kUnchanged;
  if (auto number = ParseNumber(name)) return *number;
  std::vector<char> buffer(1024);
  Record record{};
  Record* found = nullptr;
  int error = 0;
  while ((error = find(name.c_str(), &record, buffer.data(), buffer.size(), &found)) == ERANGE) {
    buffer.resize(2 * buffer.size());
  }
  if (found == nullptr) {
    return Error(StatusCode::kNotFound, std::string("there is no ") + kind + " '" + name + "'");
  }
  return record.*id;
}

std::string TemporaryName(const std::string& path) {
  // Any name will do: bind refuses one that is taken.
  std::array<unsigned char, 4> random{};
  static_cast<void>(getrandom(random.data(), random.size(), 0));
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), ".%02x%02x%02x%02x", random[0], random[1], random[2],
                random[3]);
  const size_t slash = path.rfind('/');
  return (slash == std::string::npos ? "" : path.substr(0, slash + 1)) + text.data();
}

// Whether others could put something else in the name's place.
Status CheckFolder(const Endpoint& endpoint) {
  const PathCheck way = CheckFolderOf(endpoint.name());
  if (way.error != 0) return ErrnoStatus("cannot listen at " + endpoint.ToString(), way.error);
  if (way.danger.empty()) return Status();
  return Status(StatusCode::kPermissionDenied, "other users could take the name " +
                                                   endpoint.ToString() + ": " + way.danger +
                                                   "; mend that, or set ListenOptions::any_folder");
}

Result<OsHandle> TakeLock(const Endpoint& endpoint) {
  const std::string path = endpoint.name() + ".lock";
  OsHandle lock(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
  if (!lock.valid()) return Error(ErrnoStatus("cannot open the lock file " + path, errno));
  if (flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno == EWOULDBLOCK) {
    return Error(StatusCode::kAlreadyExists, "a server is running at " + endpoint.ToString() +
                                                 ": it holds the lock file " + path);
  }
  return Error(ErrnoStatus("cannot lock " + path, errno));
}

}  // namespace

Result<SocketFile> SocketFile::Create(const Endpoint& endpoint, const ListenOptions& options) {
  if (auto address = ToSocketAddress(endpoint); !address) return Error(std::move(address).error());
  if (!options.any_folder) {
    if (Status folder = CheckFolder(endpoint); !folder.ok()) return Error(std::move(folder));
  }
  auto lock = TakeLock(endpoint);
  if (!lock) return Error(std::move(lock).error());
  SocketFile file(endpoint, std::move(*lock));
  if (Status status = file.CheckFree(); !status.ok()) return Error(std::move(status));
  if (Status status = file.Bind(options); !status.ok()) return Error(std::move(status));
  return file;
}

Status SocketFile::CheckFree() const {
  const std::string& path = endpoint_.name();
  struct stat info{};
  if (lstat(path.c_str(), &info) != 0) {
    return errno == ENOENT ? Status() : ErrnoStatus("cannot look at " + path, errno);
  }
  if (!S_ISSOCK(info.st_mode)) {
    return Status(StatusCode::kAlreadyExists,
                  path + " exists and is no socket; it is left alone, choose another name");
  }
  // It may be a live server that knows nothing of our lock. A full backlog is a sign of life too.
  auto probe = NewSocket();
  if (!probe) return std::move(probe).error();
  auto connected = ConnectOnce(*probe, endpoint_);
  if (connected) {
    return Status(StatusCode::kAlreadyExists, "a server is running at " + endpoint_.ToString());
  }
  const bool stale = connected.error().code() == StatusCode::kUnavailable;
  return stale ? Status() : std::move(connected).error();
}

Status SocketFile::Bind(const ListenOptions& options) {
  auto user = LookUp("user", options.owner, getpwnam_r, &passwd::pw_uid);
  if (!user) return std::move(user).error();
  auto group = LookUp("group", options.group, getgrnam_r, &group::gr_gid);
  if (!group) return std::move(group).error();
  auto socket = NewSocket();
  if (!socket) return std::move(socket).error();
  socket_ = std::move(*socket);
  const std::string temporary = TemporaryName(endpoint_.name());
  auto address = ToSocketAddress(*Endpoint::Parse("unix:" + temporary));
  if (!address) return std::move(address).error();
  // The mode of the file is that of the socket at bind, less the umask; nobody else may connect
  // yet.
  if (fchmod(socket_.get(), 0600) != 0 || bind(socket_.get(), address->get(), address->size) != 0) {
    return ErrnoStatus("cannot make a socket file in the directory of " + endpoint_.name(), errno);
  }
  Status placed = StatusIfMemory([&] { return Place(temporary, {*user, *group}, options); });
  if (!placed.ok()) unlink(temporary.c_str());
  return placed;
}

Status SocketFile::Place(const std::string& temporary, const Owner& owner,
                         const ListenOptions& options) {
  const std::string& path = endpoint_.name();
  // By descriptor from here on: whoever may write to the directory could put a link to another file
  // in its place, which would get this mode and owner.
  const OsHandle file(open(temporary.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat info{};
  if (!file.valid() || fstat(file.get(), &info) != 0) {
    return ErrnoStatus("cannot open the new socket of " + path, errno);
  }
  if (!S_ISSOCK(info.st_mode) || info.st_uid != geteuid() || info.st_nlink != 1) {
    return Status(StatusCode::kPermissionDenied, "somebody replaced the new socket of " + path +
                                                     "; let nobody else write to its directory");
  }
  if ((owner.user != kUnchanged || owner.group != kUnchanged) &&
      fchownat(file.get(), "", owner.user, owner.group, AT_EMPTY_PATH) != 0) {
    return ErrnoStatus("cannot give " + path + " to '" + options.owner + ":" + options.group + "'",
                       errno);
  }
  // chmod of an O_PATH descriptor, proc_pid_fd(5).
  if (chmod(("/proc/self/fd/" + std::to_string(file.get())).c_str(), options.mode) != 0) {
    return ErrnoStatus("cannot set the mode of " + path + ", for which /proc must be there", errno);
  }
  if (options.strict_senders) SetPassCredentials(socket_, true);
  if (listen(socket_.get(), options.backlog) != 0) {
    return ErrnoStatus("cannot listen at " + path, errno);
  }
  if (rename(temporary.c_str(), path.c_str()) != 0) {
    return ErrnoStatus("cannot place the socket at " + path, errno);
  }
  device_ = info.st_dev;
  inode_ = info.st_ino;
  return Status();
}

bool SocketFile::IsOurs() const {
  struct stat info{};
  return inode_ != 0 && lstat(endpoint_.name().c_str(), &info) == 0 && info.st_dev == device_ &&
         info.st_ino == inode_;
}

SocketFile::~SocketFile() {
  // A name that stays is the next server's to replace.
  IfMemory([this] { RemoveName(); });
}

void SocketFile::RemoveName() {
  if (!socket_.valid() || !IsOurs()) return;
  socket_.Close();
  // A process that was forked from this one, or that this one was forked from, may still listen on
  // the same socket; then the name is in use.
  auto probe = NewSocket();
  if (!probe) return;
  auto connected = ConnectOnce(*probe, endpoint_);
  if (!connected && connected.error().code() == StatusCode::kUnavailable) {
    unlink(endpoint_.name().c_str());
  }
}

}  // namespace lwmsg::internal
