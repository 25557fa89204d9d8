#include "tests/support/system.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <limits>

#include "lwmsg/endpoint.h"
#include "runtime/posix/socket_address.h"

namespace lwmsg::test {
namespace {

// A figure of /proc/self/status, in bytes.
size_t MemoryFigure(std::string_view name) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    size_t value = 0;
    if (word == name && status >> value) return value << 10;
  }
  std::abort();
}

}  // namespace
OsHandle OpenNull() { return OsHandle(open("/dev/null", O_RDONLY | O_CLOEXEC)); }

std::string NullPath() { return "/dev/null"; }

OsHandle OpenFile(const std::string& path) {
  return OsHandle(open(path.c_str(), O_RDONLY | O_CLOEXEC));
}

OsHandle OpenToAppend(const std::string& path) {
  OsHandle file(open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!file.valid()) std::abort();
  return file;
}

OsHandle FileWith(const std::string& content) {
  OsPipe pipe = MakeOsPipe();
  if (!WriteAll(pipe.writer, content)) std::abort();
  return std::move(pipe.reader);
}

OsPipe MakeOsPipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) std::abort();
  return {OsHandle(ends[0]), OsHandle(ends[1])};
}

std::string ReadSome(const OsHandle& file, size_t size) {
  std::string content(size, '\0');
  size_t got = 0;
  ssize_t more = 1;
  while (got < size && (more = read(file.get(), content.data() + got, size - got)) > 0) {
    got += static_cast<size_t>(more);
  }
  content.resize(got);
  return content;
}

std::string ReadAll(const OsHandle& file) {
  constexpr size_t kPiece = 4096;
  std::string content;
  std::string piece;
  do {
    piece = ReadSome(file, kPiece);
    content += piece;
  } while (piece.size() == kPiece);
  return content;
}

bool WriteAll(const OsHandle& file, std::string_view bytes) {
  return write(file.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size());
}

uint64_t PositionOf(const OsHandle& file) {
  return static_cast<uint64_t>(lseek(file.get(), 0, SEEK_CUR));
}

void SetPosition(const OsHandle& file, uint64_t position) {
  if (lseek(file.get(), static_cast<off_t>(position), SEEK_SET) < 0) std::abort();
}

bool SameFile(const OsHandle& a, const OsHandle& b) {
  struct stat of_a{};
  struct stat of_b{};
  if (fstat(a.get(), &of_a) != 0 || fstat(b.get(), &of_b) != 0) return false;
  return of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino;
}

bool IsOpen(OsHandle::Native number) { return fcntl(number, F_GETFD) != -1; }

OsHandle::Native NumberOfNothing() { return std::numeric_limits<int>::max(); }

bool IsInherited(OsHandle::Native number) { return (fcntl(number, F_GETFD) & FD_CLOEXEC) == 0; }

void MakeInherited(const OsHandle& file) {
  if (fcntl(file.get(), F_SETFD, 0) != 0) std::abort();
}

std::string NewName() {
  static std::atomic<int> last = 0;
  return "lwmsg-" + std::to_string(getpid()) + "-" + std::to_string(++last);
}

std::string EndpointIn(const std::string& folder, const std::string& name) {
  return "unix:" + folder + "/" + name;
}

std::vector<std::string> EndpointsIn(const std::string& folder) {
  return {EndpointIn(folder, "s"), "unix-abstract:" + folder + "/abstract"};
}

bool EndpointExists(const std::string& endpoint) {
  struct stat status{};
  return lstat(endpoint.substr(endpoint.find(':') + 1).c_str(), &status) == 0;
}

std::string TooLongEndpoint() { return "unix:" + std::string(200, 'x'); }

OsHandle ListenPlainly(const std::string& endpoint) {
  auto address = internal::ToSocketAddress(*Endpoint::Parse(endpoint));
  OsHandle socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (bind(socket.get(), address->get(), address->size) != 0 || listen(socket.get(), 5) != 0) {
    std::abort();
  }
  return socket;
}

void LimitBuffer(const OsHandle& end, int bytes) {
  if (setsockopt(end.get(), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)) != 0) std::abort();
}

uint32_t OwnProcessId() { return static_cast<uint32_t>(getpid()); }

std::optional<uint32_t> OwnUser() { return geteuid(); }

std::optional<uint32_t> OwnGroup() { return getegid(); }

void SetEnvironment(const std::string& name, const std::string& value) {
  if (setenv(name.c_str(), value.c_str(), 1) != 0) std::abort();
}

void UnsetEnvironment(const std::string& name) {
  if (unsetenv(name.c_str()) != 0) std::abort();
}

size_t MemoryInUse() { return MemoryFigure("VmRSS:"); }

size_t PeakMemory() { return MemoryFigure("VmHWM:"); }

size_t PeakPromisedMemory() { return MemoryFigure("VmPeak:"); }

int Times(int count) { return count; }

}  // namespace lwmsg::test
