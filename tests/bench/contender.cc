#include "contender.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bench {

namespace {

constexpr size_t kPage = 4096;

}  // namespace

void Die(std::string_view what) {
  fprintf(stderr, "%s: %.*s (%s)\n", program_invocation_short_name, static_cast<int>(what.size()),
          what.data(), strerror(errno));
  _exit(1);
}

void Stamp(std::span<char> payload, uint64_t number) {
  memcpy(payload.data(), &number, sizeof number);
  payload.back() = static_cast<char>(number);
}

void CheckEcho(std::span<const char> payload, size_t bytes, uint64_t number) {
  Check(payload.size() == bytes, "an answer of the wrong size");
  Check(memcmp(payload.data(), &number, sizeof number) == 0, "an answer to another call");
  Check(payload.back() == static_cast<char>(number), "an answer with a wrong end");
}

uint64_t Digest(std::span<const char> payload) {
  uint64_t number = 0;
  memcpy(&number, payload.data(), sizeof number);
  return number * 31 + payload.size() + static_cast<unsigned char>(payload.back());
}

uint64_t ExpectedDigest(size_t bytes, uint64_t number) {
  return number * 31 + bytes + (number & 0xff);
}

void TouchPages(std::span<const char> bytes) {
  for (size_t at = 0; at < bytes.size(); at += kPage)
    static_cast<void>(*reinterpret_cast<const volatile char*>(&bytes[at]));
}

int MakeShared(size_t bytes) {
  const int file = memfd_create("payload", MFD_CLOEXEC);
  Check(file >= 0 && ftruncate(file, static_cast<off_t>(bytes)) == 0, "memfd_create");
  void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  Check(memory != MAP_FAILED, "mmap");
  for (size_t at = 0; at < bytes; at += kPage)
    *reinterpret_cast<uint64_t*>(static_cast<char*>(memory) + at) = at;
  munmap(memory, bytes);
  return file;
}

uint64_t SharedDigest(int file, size_t bytes) {
  void* const memory = mmap(nullptr, bytes, PROT_READ, MAP_SHARED, file, 0);
  Check(memory != MAP_FAILED, "mmap");
  uint64_t sum = 0;
  for (size_t at = 0; at < bytes; at += kPage)
    sum += *reinterpret_cast<const uint64_t*>(static_cast<const char*>(memory) + at);
  munmap(memory, bytes);
  return sum;
}

uint64_t ExpectedSharedDigest(size_t bytes) {
  uint64_t sum = 0;
  for (size_t at = 0; at < bytes; at += kPage) sum += at;
  return sum;
}

void CheckFile(int file) {
  struct stat stat;
  Check(fstat(file, &stat) == 0, "an answer without its descriptor");
}

}  // namespace bench
