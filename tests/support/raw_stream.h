#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "lwmsg/os_handle.h"

namespace lwmsg::test {

// Bytes over a connection that is used without lwmsg: a Unix socket, or a named pipe on Windows.
// Never blocks.
class RawStream {
 public:
  // One end of a connection.
  explicit RawStream(OsHandle end);
  RawStream(RawStream&& other) noexcept;
  RawStream& operator=(RawStream&& other) noexcept;
  ~RawStream();
  // Nothing if the server has no room at the moment, as a named pipe has none before its server has
  // turned its loop. Any other failure fails the test.
  static std::optional<RawStream> ConnectTo(const std::string& endpoint);

  // False if the other side has hung up.
  bool Write(std::string_view bytes);
  // Appends what is there. False if the other side has hung up and all that it wrote was read.
  bool Read(std::string& bytes);
  // Hangs up. The other side can still read what fitted into the connection's buffer.
  void Close();
  const OsHandle& end() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lwmsg::test
