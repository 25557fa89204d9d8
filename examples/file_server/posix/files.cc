#include "files.h"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include <cerrno>

#include "system_error.h"

using lwmsg::Error;
using lwmsg::OsHandle;
using lwmsg::Result;
using lwmsg::Status;

Result<OsHandle> OpenLocal(const std::string& path) {
  OsHandle file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return Error(SystemError("cannot open " + path, errno));
  return file;
}

Result<OsHandle> MakeLocal(const std::string& path) {
  OsHandle file(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!file.valid()) return Error(SystemError("cannot make " + path, errno));
  return file;
}

Result<size_t> ReadAt(const OsHandle& file, uint64_t offset, kj::ArrayPtr<kj::byte> data) {
  const ssize_t size = pread(file.get(), data.begin(), data.size(), static_cast<off_t>(offset));
  if (size < 0) return Error(SystemError("cannot read", errno));
  return static_cast<size_t>(size);
}

Status WriteAt(const OsHandle& file, uint64_t offset, kj::ArrayPtr<const kj::byte> data) {
  while (data.size() > 0) {
    const ssize_t size = pwrite(file.get(), data.begin(), data.size(), static_cast<off_t>(offset));
    if (size < 0) return SystemError("cannot write", errno);
    offset += static_cast<uint64_t>(size);
    data = data.slice(static_cast<size_t>(size), data.size());
  }
  return Status();
}

// The kernel copies.
Status CopyRest(const OsHandle& from, const OsHandle& to) {
  ssize_t copied = 1;
  while (copied > 0) copied = sendfile(to.get(), from.get(), nullptr, 1 << 20);
  return copied == 0 ? Status() : SystemError("cannot copy", errno);
}

Status Print(kj::ArrayPtr<const kj::byte> data) {
  while (data.size() > 0) {
    const ssize_t size = write(STDOUT_FILENO, data.begin(), data.size());
    if (size < 0) return SystemError("cannot write", errno);
    data = data.slice(static_cast<size_t>(size), data.size());
  }
  return Status();
}
