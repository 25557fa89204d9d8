#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "meter.h"

namespace bench {

// What one call does.
enum class Kind {
  kEcho,   // The payload comes back.
  kTake,   // Digest of the payload comes back.
  kPass,   // A descriptor goes there, the same file comes back.
  kShare,  // A descriptor of `bytes` in memory goes there; SharedDigest of it comes back.
};

// The calls of a client.
struct Shape {
  Kind kind = Kind::kEcho;
  size_t bytes = 32;
  size_t connections = 1;
  size_t outstanding = 1;  // On each connection.
  size_t processes = 1;    // Each with as many connections.
};

// One or more connections. Destroying it closes them.
class Client {
 public:
  virtual ~Client() = default;
  // Keeps Shape::outstanding calls under way on each connection. Every answer is checked and told
  // to `meter`, which says whether another call shall follow; returns when none is under way.
  virtual void Run(Meter& meter) = 0;
};

// How client and server come together.
enum class Meeting {
  kSocketFile,  // The endpoint is a path.
  kPair,        // The endpoint is the number of a descriptor, one end of a socket pair.
  kOneProcess,  // The endpoint is a name; the server runs on another thread.
};

struct Contender {
  std::string name;
  Meeting meeting = Meeting::kSocketFile;
  // Serves until it is killed or nobody can come any more; calls `ready` once clients can come.
  std::function<void(const std::string& endpoint, const std::function<void()>& ready)> serve;
  // Null if this contender cannot do that. May connect later, but not after the first answer.
  std::function<std::unique_ptr<Client>(const std::string& endpoint, const Shape& shape)> connect;
};

// Each program defines it.
std::vector<Contender> Contenders();

// Ends this process with `what` and what errno says.
[[noreturn]] void Die(std::string_view what);
inline void Check(bool good, std::string_view what) {
  if (!good) Die(what);
}

// Payloads carry their number at both ends.
void Stamp(std::span<char> payload, uint64_t number);
void CheckEcho(std::span<const char> payload, size_t bytes, uint64_t number);
// Of size and both ends.
uint64_t Digest(std::span<const char> payload);
uint64_t ExpectedDigest(size_t bytes, uint64_t number);
// Reads a word of each page.
void TouchPages(std::span<const char> bytes);
// A file in memory with a number in each page, and what whoever maps it finds there.
int MakeShared(size_t bytes);
uint64_t SharedDigest(int file, size_t bytes);
uint64_t ExpectedSharedDigest(size_t bytes);
// That a descriptor that came back is open.
void CheckFile(int file);

}  // namespace bench
