#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "lwmsg/os_handle.h"
#include "lwmsg/status.h"

namespace lwmsg::internal {

// Memory that can be given to another process, mapped into this one. Each platform has it.
class MappedMemory {
 public:
  // New and all zero, writable here; takes the memory at once. It can neither shrink nor grow, and
  // whoever is sent it cannot write to it. Error: kResourceExhausted, kUnimplemented.
  static Result<std::unique_ptr<MappedMemory>> Create(size_t bytes);
  // A peer's, read-only, all of it; touching it never fails and takes no memory of this process.
  // Error: kMalformed if it is no such memory, kResourceExhausted if it is larger than `most`.
  static Result<std::unique_ptr<MappedMemory>> Open(const OsHandle& memory, size_t most);

  // Of all that this process has at a time. A process may have 65,530 mappings (vm.max_map_count,
  // proc_sys_vm(5)), and without one left it gets no memory either.
  static constexpr size_t kMost = 16'384;

  MappedMemory(const MappedMemory&) = delete;
  MappedMemory& operator=(const MappedMemory&) = delete;
  ~MappedMemory() {
    Unmap();
    --Count();
  }

  // Of a peer's: only to be read.
  std::span<std::byte> bytes() const { return bytes_; }
  // Whether nobody at all can write to it.
  bool constant() const { return constant_; }

  // Of one's own: a handle of it to send.
  Result<OsHandle> HandleToSend() const;
  // Of one's own: unmaps it and, where that is possible, makes it constant.
  Result<OsHandle> Seal();

 private:
  MappedMemory(OsHandle handle, std::span<std::byte> bytes, bool constant)
      : handle_(std::move(handle)), bytes_(bytes), constant_(constant) {
    ++Count();
  }
  void Unmap();
  static std::atomic<size_t>& Count() {
    static std::atomic<size_t> count = 0;
    return count;
  }
  // Error: kResourceExhausted if there are kMost.
  static Status CheckCount() {
    if (Count() < kMost) return Status();
    return Status(StatusCode::kResourceExhausted,
                  "this process has mapped " + std::to_string(kMost) + " pieces of shared memory");
  }

  OsHandle handle_;  // Of one's own.
  std::span<std::byte> bytes_;
  bool constant_;
};

}  // namespace lwmsg::internal
