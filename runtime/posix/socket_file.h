#pragma once

#include <sys/types.h>

#include <string>

#include "lwmsg/endpoint.h"
#include "lwmsg/os_handle.h"
#include "lwmsg/server.h"
#include "lwmsg/status.h"

namespace lwmsg::internal {

// The name of a listening socket in the file system: how one server at a time gets it.
//
// A lock file beside it says who may change the name; the kernel drops the lock when its holder
// dies. The socket is bound to a temporary name, gets its owner and mode, listens, and only then is
// renamed: no client ever meets a socket file with other permissions, or one where nobody listens.
class SocketFile {
 public:
  // Binds a new socket and makes it listen. Error: see Server::Listen.
  static Result<SocketFile> Create(const Endpoint& endpoint, const ListenOptions& options);
  SocketFile(SocketFile&&) = default;
  SocketFile& operator=(SocketFile&&) = delete;
  ~SocketFile();

  OsHandle& socket() { return socket_; }

 private:
  SocketFile(Endpoint endpoint, OsHandle lock)
      : endpoint_(std::move(endpoint)), lock_(std::move(lock)) {}

  Status CheckFree() const;
  // Whose the file shall be; kUnchanged: this process's.
  struct Owner {
    uid_t user;
    gid_t group;
  };

  Status Bind(const ListenOptions& options);
  Status Place(const std::string& temporary, const Owner& owner, const ListenOptions& options);
  bool IsOurs() const;
  void RemoveName();

  Endpoint endpoint_;
  OsHandle lock_;
  OsHandle socket_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace lwmsg::internal
