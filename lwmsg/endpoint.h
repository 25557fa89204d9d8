#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lwmsg/status.h"

namespace lwmsg {

// A parsed address of a server:
//   direct:app           a name in this process (connection mode DIRECT)
//   unix:/run/app.sock   a socket file (relative paths are taken as they are); on Unix
//   unix-abstract:app    a name in the network namespace; it has no permissions, so any user can
//                        take it first (unix(7), "Abstract sockets") and any user can connect; on
//                        Linux. Nothing else leads to such a name: "unix:@app" is a file "@app"
//   pipe:app             the named pipe \\.\pipe\app; on Windows
// Each can be parsed everywhere; who uses one that the system does not have is told what to use
// instead (kUnimplemented).
class Endpoint {
 public:
  enum class Kind { kPath, kAbstract, kDirect, kPipe };

  // Error: kInvalidArgument, with what is wrong and the forms that there are.
  static Result<Endpoint> Parse(std::string_view text);
  // Several, to be tried in order: "direct:app,unix:/run/app.sock". A comma that no scheme follows
  // is a part of a name.
  static Result<std::vector<Endpoint>> ParseList(std::string_view text);

  Kind kind() const { return kind_; }
  // The path or name, without the scheme.
  const std::string& name() const { return name_; }
  // As Parse takes it.
  std::string ToString() const;

 private:
  Endpoint(Kind kind, std::string name) : kind_(kind), name_(std::move(name)) {}

  Kind kind_;
  std::string name_;
};

}  // namespace lwmsg
