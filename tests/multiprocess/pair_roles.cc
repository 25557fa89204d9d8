#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <iostream>

#include "tests/multiprocess/roles.h"
#include "tests/support/sample_service.h"

// The roles that call, and those about inherited pairs.
namespace lwmsg::test {
namespace {

std::unique_ptr<BlockingClient> Connect(const Arguments& arguments) {
  if (auto socket = Number(arguments, "socket")) {
    return std::make_unique<BlockingClient>(OsHandle(*socket));
  }
  return std::make_unique<BlockingClient>(Value(arguments, "endpoint"));
}

void WaitForTheEndOfInput() {
  for (std::string line; std::getline(std::cin, line);) continue;
}

}  // namespace

int Call(const Arguments& arguments) {
  const auto client = Connect(arguments);
  auto reply = sample::SampleClient(*client).Whoami().Sync();
  if (!reply) return Say("error " + reply.error().ToString()), 1;
  Say("client " + std::string(reply->getText()));
  Say("server " + client->peer().ToString());
  WaitForTheEndOfInput();
  return 0;
}

int Keep(const Arguments& arguments) {
  const auto client = Connect(arguments);
  auto reply = sample::SampleClient(*client).Keep().Sync();
  Say("ended " + (reply ? "ok" : reply.error().ToString()));
  return 0;
}

int ServePair(const Arguments& /*arguments*/) {
  auto pair = TakeInheritedPair();
  if (!pair) return 1;
  Loop loop;
  SampleService service;
  ServerOptions options;
  options.on_end = [&](const Token&, const Status&) { loop.Stop(); };
  Server server(loop, std::move(options));
  if (!server.Serve(service).ok() || !server.Adopt(std::move(*pair)).ok()) return 1;
  loop.Run();
  return 0;
}

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
  for (const std::string& socket : SocketsOf(getpid())) Say("took " + socket);
  auto second = TakeInheritedPair();
  Say(second ? "took a second" : second.error().ToString());
  Process grandchild("list-sockets");
  for (std::string line; (line = grandchild.ReadLine()) != "(nothing)";) Say(line);
  return grandchild.Wait();
}

int ListSockets(const Arguments& /*arguments*/) {
  for (const std::string& socket : SocketsOf(getpid())) Say("grandchild " + socket);
  const char* variable = std::getenv("LWMSG_PAIR_FD");
  Say(std::string("grandchild variable ") + (variable == nullptr ? "unset" : variable));
  return 0;
}

}  // namespace lwmsg::test
