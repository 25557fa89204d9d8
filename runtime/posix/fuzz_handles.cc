#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

#include "lwmsg/fuzz/finding.h"
#include "lwmsg/fuzz/handles.h"
#include "lwmsg/shared_memory.h"
#include "runtime/closer.h"
#include "runtime/platform.h"

namespace lwmsg::fuzz {
namespace {

// The end that is not given away is closed, when the content is in: a reader meets its end.
OsHandle ReaderWith(const std::string& content) {
  std::array<int, 2> ends;
  if (pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return OsHandle();
  OsHandle reader(ends[0]);
  OsHandle writer(ends[1]);
  if (write(writer.get(), content.data(), content.size()) < 0) return OsHandle();
  return reader;
}

OsHandle SocketWith(const std::string& content) {
  std::array<int, 2> ends;
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return OsHandle();
  OsHandle own(ends[0]);
  OsHandle given(ends[1]);
  send(own.get(), content.data(), content.size(), MSG_NOSIGNAL);
  return given;
}

OsHandle Memory(size_t size, bool sealed) {
  if (sealed) {
    auto memory = WritableMemory::Create(size);
    if (!memory) return OsHandle();
    auto handle = memory->Seal();
    return handle ? std::move(*handle) : OsHandle();
  }
  OsHandle memory(memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (ftruncate(memory.get(), static_cast<off_t>(size)) != 0) return OsHandle();
  return memory;
}

}  // namespace

OsHandle OpenHandle(Input& input) {
  const size_t kind = input.Below(8);
  const size_t size = input.Byte();
  switch (kind) {
    case 0:
      return OsHandle(open("/dev/null", O_RDWR | O_CLOEXEC));
    case 1:
      return ReaderWith(std::string(size, 'x'));
    case 2:
      return SocketWith(std::string(size, 'x'));
    case 3:
      return Memory(size * 64 + 1, true);
    case 4:
      return Memory(size * 64 + 1, false);
    case 5:
      return OsHandle(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    case 6:
      return OsHandle(open("/", O_PATH | O_CLOEXEC));
    default:
      return OsHandle(open("/dev/null", O_WRONLY | O_CLOEXEC));
  }
}

std::vector<bool> OpenNumbers() {
  internal::FinishClosing();
  // poll takes no more than this process may have.
  std::vector<pollfd> looked(std::min(size_t{512}, internal::MostHandles()));
  for (size_t i = 0; i < looked.size(); ++i) looked[i].fd = static_cast<int>(i);
  while (poll(looked.data(), looked.size(), 0) < 0) {
    Require(errno == EINTR || errno == EAGAIN, "the system tells which files are open");
  }
  std::vector<bool> open(looked.size());
  for (size_t i = 0; i < looked.size(); ++i) open[i] = (looked[i].revents & POLLNVAL) == 0;
  return open;
}

}  // namespace lwmsg::fuzz
