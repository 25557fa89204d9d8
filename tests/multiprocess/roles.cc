#include "tests/multiprocess/roles.h"

#include <cstdlib>
#include <iostream>

#include "tests/multiprocess/orders.h"
#include "tests/multiprocess/talking_service.h"
#include "tests/support/inventory.h"

namespace lwmsg::test {
namespace {

Status Open(Server& server, const Arguments& arguments) {
  const std::string listening = Value(arguments, "listening");
  if (!listening.empty()) return server.ListenOn(TakeNumber(listening));
  const std::string socket = Value(arguments, "socket");
  if (!socket.empty()) return server.Adopt(TakeNumber(socket));
  const std::string mode = Value(arguments, "mode");
  ListenOptions options;
  if (!mode.empty()) options.mode = static_cast<uint32_t>(std::stoul(mode, nullptr, 8));
  return server.Listen(Value(arguments, "endpoint"), options);
}

}  // namespace

std::string Value(const Arguments& arguments, const std::string& key) {
  for (const std::string& argument : arguments) {
    if (argument.starts_with(key + "=")) return argument.substr(key.size() + 1);
  }
  return "";
}

void Harden(const Arguments& arguments) {
  if (Value(arguments, "harden") != "yes" || HardenProcess().ok()) return;
  Say("cannot harden");
  std::_Exit(1);
}

void Say(const std::string& line) {
  std::cout << line << std::endl;
  if (!std::cout) std::_Exit(1);
}

int Serve(const Arguments& arguments) {
  Harden(arguments);
  Loop loop;
  TalkingService talking;
  ServerOptions options;
  const std::string most = Value(arguments, "associations");
  if (!most.empty()) options.limits.max_associations = static_cast<uint32_t>(std::stoul(most));
  Server server(loop, std::move(options));
  Status status = server.Serve(talking.service);
  if (status.ok()) status = Open(server, arguments);
  Say(status.ok() ? "ready" : status.ToString());
  if (!status.ok()) return 1;
  Orders orders(loop, [&](const std::string& line) {
    if (line == "count") return Say(std::to_string(OpenDescriptors().size()));
    server.Stop();
    Say("stopped");
  });
  loop.Run();
  return 0;
}

}  // namespace lwmsg::test
