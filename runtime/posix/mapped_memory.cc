#include "lwmsg/internal/mapped_memory.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "lwmsg/internal/spare_memory.h"
#include "lwmsg/limit_hits.h"
#include "runtime/posix/socket_address.h"

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

namespace lwmsg::internal {
namespace {

constexpr int kFixedSize = F_SEAL_SHRINK | F_SEAL_GROW;

tl::unexpected<Status> SystemError(const char* what) { return Error(ErrnoStatus(what, errno)); }

tl::unexpected<Status> Refused(const std::string& why) {
  return Error(StatusCode::kMalformed, "the peer's shared memory " + why);
}

}  // namespace

Result<std::unique_ptr<MappedMemory>> MappedMemory::Create(size_t bytes) {
  if (Status status = CheckCount(); !status.ok()) return Error(std::move(status));
  OsHandle memory(memfd_create("lwmsg", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!memory.valid()) return SystemError("cannot make shared memory");
  // All of it now: who reads what is not there yet makes it, in his name.
  if (fallocate(memory.get(), 0, 0, static_cast<off_t>(bytes)) != 0) {
    return SystemError("cannot take memory to share");
  }
  void* mapped = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory.get(), 0);
  if (mapped == MAP_FAILED) return SystemError("cannot map shared memory");
  std::unique_ptr<MappedMemory> made(Insist([&] {
    return new MappedMemory(std::move(memory), {static_cast<std::byte*>(mapped), bytes}, false);
  }));
  // Since Linux 5.1, fcntl(2): this mapping stays writable, there is no other.
  if (fcntl(made->handle_.get(), F_ADD_SEALS, kFixedSize | F_SEAL_FUTURE_WRITE) == 0) return made;
  if (errno == EINVAL) {
    return Error(StatusCode::kUnimplemented, "shared memory needs Linux 5.1 or later");
  }
  return SystemError("cannot seal shared memory");
}

Result<std::unique_ptr<MappedMemory>> MappedMemory::Open(const OsHandle& memory, size_t most) {
  if (Status status = CheckCount(); !status.ok()) return Error(std::move(status));
  const int seals = fcntl(memory.get(), F_GET_SEALS);
  if (seals < 0 || (seals & kFixedSize) != kFixedSize ||
      (seals & (F_SEAL_FUTURE_WRITE | F_SEAL_WRITE)) == 0) {
    return Refused("is not sealed: it could shrink, or be written by others");
  }
  struct stat info{};
  struct statfs system{};
  // Pages beyond the end would count as if they filled holes: to set the size that it has frees
  // them, in spite of the seals (shmem_setattr, Linux 6.18).
  if (fstat(memory.get(), &info) != 0 || ftruncate(memory.get(), info.st_size) != 0) {
    return Refused("cannot be checked for holes: its descriptor must be open for writing");
  }
  if (fstat(memory.get(), &info) != 0 || fstatfs(memory.get(), &system) != 0) {
    return SystemError("cannot look at a peer's shared memory");
  }
  // Huge pages that are not there end the reader (SIGBUS); holes are filled in his name.
  if (system.f_type != TMPFS_MAGIC) return Refused("is not of plain pages");
  const auto bytes = static_cast<size_t>(info.st_size);
  if (static_cast<uint64_t>(info.st_blocks) * 512 < bytes) return Refused("has holes");
  if (bytes == 0) return Refused("is empty");
  if (bytes > most) {
    return Error(StatusCode::kResourceExhausted,
                 "the peer shares memory of " + std::to_string(bytes) + " bytes; " +
                     std::to_string(most) + " are left of " + HitLimit(Limit::kMaxSharedBytes));
  }
  // Sealed against all writing it cannot be mapped shared before Linux 6.7, and need not be. Pages
  // are mapped as they are touched: a small message must not cost the work of all of them.
  const bool constant = (seals & F_SEAL_WRITE) != 0;
  const int flags = constant ? MAP_PRIVATE : MAP_SHARED;
  void* mapped = mmap(nullptr, bytes, PROT_READ, flags, memory.get(), 0);
  if (mapped == MAP_FAILED) return SystemError("cannot map a peer's shared memory");
  return std::unique_ptr<MappedMemory>(Insist([&] {
    return new MappedMemory(OsHandle(), {static_cast<std::byte*>(mapped), bytes}, constant);
  }));
}

Result<OsHandle> MappedMemory::HandleToSend() const { return handle_.Duplicate(); }

Result<OsHandle> MappedMemory::Seal() {
  Unmap();
  if (fcntl(handle_.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SEAL) != 0) {
    return SystemError("cannot seal shared memory");
  }
  return std::move(handle_);
}

void MappedMemory::Unmap() {
  if (!bytes_.empty()) munmap(bytes_.data(), bytes_.size());
  bytes_ = {};
}

}  // namespace lwmsg::internal
