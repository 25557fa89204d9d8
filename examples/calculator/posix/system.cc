#include "system.h"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <unistd.h>

bool IsOwnUser(const lwmsg::Token& caller) { return caller.euid() == geteuid(); }

lwmsg::OsHandle OpenToRead(const char* path) {
  return lwmsg::OsHandle(open(path, O_RDONLY | O_CLOEXEC));
}

bool Print(const lwmsg::OsHandle& file) {
  ssize_t copied = 1;
  while (copied > 0) copied = sendfile(STDOUT_FILENO, file.get(), nullptr, 4096);
  return copied == 0;
}
