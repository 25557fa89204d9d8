#pragma once

#include <sys/types.h>

#include <string>

#include "contender.h"

namespace bench {

// A contender's server, in a process of its own or, for kOneProcess, on a thread. It goes with this
// process at the latest.
class RunningServer {
 public:
  explicit RunningServer(const Contender& contender);
  RunningServer(const RunningServer&) = delete;
  RunningServer& operator=(const RunningServer&) = delete;
  ~RunningServer();

  // Where clients go.
  const std::string& endpoint() const { return endpoint_; }
  // Processor time of client and server.
  double CpuSeconds() const;
  // Memory that the server has for itself.
  double PrivateKib() const;

 private:
  void StartProcess(const Contender& contender, const std::string& server_endpoint);

  std::string endpoint_;
  pid_t process_ = 0;
};

// Processor time of this process.
double CpuSeconds();

// In the server's process: serves, and tells whoever made it when clients can come.
[[noreturn]] void ServeAll(const Contender& contender, const std::string& endpoint);

// Starts this program again, with standard output into a pipe whose other end is returned.
int StartAgain(const std::vector<std::string>& arguments, pid_t& process);

}  // namespace bench
