#include <sys/wait.h>

#include <cstdlib>

#include "tests/multiprocess/posix/roles.h"
#include "tests/multiprocess/posix/sockets_of.h"
#include "tests/support/system.h"

// The roles that look at the sockets which a spawned child has.
namespace lwmsg::test {

int Spawn(const Arguments& arguments) {
  auto child = SpawnWithPair({OwnPath(), "--role=" + Value(arguments, "child")});
  if (!child) return Say(child.error().ToString()), 1;
  const bool reaped = waitpid(static_cast<pid_t>(child->pid), nullptr, 0) > 0;
  Say("child ended");
  return reaped ? 0 : 1;
}

int TakeTwice(const Arguments& /*arguments*/) {
  auto pair = TakeInheritedPair();
  if (!pair) return Say(pair.error().ToString()), 1;
  for (const std::string& socket : SocketsOf(OwnProcessId())) Say("took " + socket);
  auto second = TakeInheritedPair();
  Say(second ? "took a second" : second.error().ToString());
  Process grandchild("list-sockets");
  for (std::string line; (line = grandchild.ReadLine()) != "(nothing)";) Say(line);
  return grandchild.Wait();
}

int ListSockets(const Arguments& /*arguments*/) {
  for (const std::string& socket : SocketsOf(OwnProcessId())) Say("grandchild " + socket);
  const char* variable = std::getenv("LWMSG_PAIR_FD");
  Say(std::string("grandchild variable ") + (variable == nullptr ? "unset" : variable));
  return 0;
}

}  // namespace lwmsg::test
