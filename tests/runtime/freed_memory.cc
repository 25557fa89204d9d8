#include "tests/runtime/freed_memory.h"

#include <atomic>
#include <cstring>

namespace lwmsg::test {
namespace {

std::string_view secret_text;
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
  secret_text = secret;
  found = 0;
  wanted = &secret_text;
}

FreedMemory::~FreedMemory() { wanted = nullptr; }

size_t FreedMemory::leaks() const { return found; }

}  // namespace lwmsg::test
