#include <iostream>
#include <list>
#include <memory>
#include <vector>

#include "tests/multiprocess/roles.h"
#include "tests/support/sample_service.h"

// The roles that call, and the one that serves an inherited pair.
namespace lwmsg::test {
namespace {

std::unique_ptr<BlockingClient> Connect(const Arguments& arguments) {
  if (const std::string socket = Value(arguments, "socket"); !socket.empty()) {
    return std::make_unique<BlockingClient>(TakeNumber(socket));
  }
  ClientOptions options;
  options.any_server = Value(arguments, "server") == "any";
  return std::make_unique<BlockingClient>(Value(arguments, "endpoint"), std::move(options));
}

void WaitForTheEndOfInput() {
  for (std::string line; std::getline(std::cin, line);) continue;
}

}  // namespace

int Call(const Arguments& arguments) {
  Harden(arguments);
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

int Share(const Arguments& arguments) {
  const SessionKey key = SessionKey::Random();
  std::list<BlockingClient> clients;
  for (int left = std::stoi(Value(arguments, "clients")); left > 0; --left) {
    ClientOptions options;
    options.session = key;
    options.on_session_lost = [] { Say("another session"); };
    clients.emplace_back(Value(arguments, "endpoint"), std::move(options));
    auto reply = sample::ListenerClient(clients.back()).Notify().Sync();
    if (!reply) return Say("error " + reply.error().ToString()), 1;
  }
  Say("answered");
  WaitForTheEndOfInput();
  return 0;
}

int ComeAndGo(const Arguments& arguments) {
  int answered = 0;
  for (int left = std::stoi(Value(arguments, "times")); left > 0; --left) {
    if (sample::ListenerClient(*Connect(arguments)).Notify().Sync()) ++answered;
  }
  Say("answered " + std::to_string(answered));
  return 0;
}

int Occupy(const Arguments& arguments) {
  std::vector<std::unique_ptr<BlockingClient>> let_in;
  std::string refusal;
  for (int left = std::stoi(Value(arguments, "clients")); left > 0; --left) {
    auto client = Connect(arguments);
    auto reply = sample::SampleClient(*client).Nothing().Sync();
    if (reply) {
      let_in.push_back(std::move(client));
    } else {
      refusal = reply.error().ToString();
    }
  }
  Say(std::to_string(let_in.size()) + " let in");
  if (!refusal.empty()) Say(refusal);
  WaitForTheEndOfInput();
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

}  // namespace lwmsg::test
