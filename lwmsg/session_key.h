#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

namespace lwmsg {

// Joins several clients of this process in one session of a server (ClientOptions::session), so
// that a name that one of them got can be used by all. A value; copies are the same key. Any
// thread.
class SessionKey {
 public:
  // One that nobody else has.
  static SessionKey Random();

  // What is said in hello: 16 bytes, a secret.
  const std::string& bytes() const { return *bytes_; }

  // The session that the clients with this key were last in, 0 for none; kept by them.
  uint64_t last_session() const { return *last_session_; }
  void set_last_session(uint64_t id) { *last_session_ = id; }

 private:
  explicit SessionKey(std::string bytes)
      : bytes_(std::make_shared<const std::string>(std::move(bytes))),
        last_session_(std::make_shared<std::atomic<uint64_t>>(0)) {}

  std::shared_ptr<const std::string> bytes_;
  std::shared_ptr<std::atomic<uint64_t>> last_session_;
};

}  // namespace lwmsg
