#include "tests/runtime/freed_memory.h"

#include <atomic>
#include <cstring>
#include <deque>

namespace lwmsg::test {
namespace {

// All that there were: another thread may still look at the one before.
std::deque<std::string_view> secrets;
std::atomic<const std::string_view*> wanted;
std::atomic<size_t> found;

}  // namespace

// Allocates nothing and is quick.
void OnFree(void* block, size_t size) {
  const std::string_view* secret = wanted.load();
  if (secret == nullptr || block == nullptr) return;
  const std::string_view content(static_cast<const char*>(block), size);
  if (content.find(*secret) == std::string_view::npos) return;
  ++found;
  // Else the next owner of this memory would be blamed too.
  std::memset(block, 0, size);
  asm volatile("" : : "r"(block) : "memory");
}

FreedMemory::FreedMemory(std::string_view secret) {
  secrets.push_back(secret);
  found = 0;
  wanted = &secrets.back();
}

FreedMemory::~FreedMemory() { wanted = nullptr; }

size_t FreedMemory::leaks() const { return found; }

}  // namespace lwmsg::test
