#pragma once

#include <cstddef>
#include <string_view>

namespace lwmsg::test {

// Looks for `secret` in every block of memory that any thread of this process frees, while it
// lives. One at a time. `secret` stays where it is, and is not on the heap.
class FreedMemory {
 public:
  explicit FreedMemory(std::string_view secret);
  FreedMemory(const FreedMemory&) = delete;
  FreedMemory& operator=(const FreedMemory&) = delete;
  ~FreedMemory();

  // Blocks that still held the secret.
  size_t leaks() const;
};

// What posix/ and windows/ call with each block of that many bytes before it is freed.
void OnFree(void* block, size_t size);

}  // namespace lwmsg::test
