#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/faults/report.h"
#include "tests/faults/roles.h"
#include "tests/faults/session.h"
#include "tests/support/inventory.h"

namespace faults {

// One run: a server, a client who does a session, and the next client. One of the first two has a
// fault.
struct Case {
  bool in_server = false;
  Session session = Session::kBlocking;
  Plan plan;

  // As `--case` takes it.
  std::string ToString() const;
  // Throws std::invalid_argument.
  static Case Parse(const std::string& text);
};

struct Totals {
  uint32_t runs = 0;
  uint32_t struck = 0;   // In which the fault came to pass.
  uint32_t refused = 0;  // In which the server did not begin, and said so.
  uint32_t findings = 0;
  std::vector<std::chrono::microseconds> recoveries;  // After a kill.
};

class Runner {
 public:
  Runner();

  // Prints what is wrong; whether nothing is.
  bool Run(const Case& one);
  // How often each call is made by a role when nothing fails.
  void Count(bool in_server, Session session, Seen& seen);
  // Kills a server, or a client of one that goes on, in the middle of its work, after that time.
  bool KillServer(std::chrono::microseconds after);
  bool KillClient(std::chrono::microseconds after);

  Totals TakeTotals() { return std::exchange(totals_, {}); }

 private:
  struct Shared {
    Report server;
    Report client;
    Report next;
  };
  struct Unmap {
    void operator()(Shared* shared) const;
  };

  void Begin();
  // Empty, or what is wrong.
  std::string RunCase(const Case& one);
  std::string CheckRefused(const Case& one, ServerProcess& server);
  std::string CheckClient(const Case& one, const std::optional<int>& status) const;
  std::string CheckServer(ServerProcess& server, size_t descriptors);
  bool ServesNext(const std::string& endpoint);
  std::string CheckRestart(std::chrono::steady_clock::time_point killed);
  std::string Text(const Report& report) const;
  bool Judge(const std::string& name, const std::string& wrong);

  lwmsg::test::TemporaryFolder folder_;
  // By a symbolic link.
  const std::string endpoint_ = folder_.Endpoint("link/s");
  std::unique_ptr<Shared, Unmap> shared_;
  std::unique_ptr<ServerProcess> lasting_;  // Whose clients are killed.
  size_t lasting_descriptors_ = 0;
  Totals totals_;
};

}  // namespace faults
