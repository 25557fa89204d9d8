#include "tests/multiprocess/roles.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include <array>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <sstream>

#include "tests/multiprocess/orders.h"
#include "tests/multiprocess/user.h"
#include "tests/support/sample_service.h"

namespace lwmsg::test {
namespace {

// A service that says what happens to the calls of keep.
struct TalkingService {
  TalkingService() {
    service.on_keep = [this] {
      service.kept.back().OnCancel([] { Say("cancelled"); });
      Say("kept");
    };
  }
  SampleService service;
};

Status Open(Server& server, const Arguments& arguments) {
  if (auto listening = Number(arguments, "listening")) return server.ListenOn(OsHandle(*listening));
  if (auto socket = Number(arguments, "socket")) return server.Adopt(OsHandle(*socket));
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

std::optional<int> Number(const Arguments& arguments, const std::string& key) {
  const std::string text = Value(arguments, key);
  return text.empty() ? std::nullopt : std::optional(std::stoi(text));
}

void Say(const std::string& line) {
  const std::string text = line + "\n";
  if (write(STDOUT_FILENO, text.data(), text.size()) < 0) _exit(1);
}

void BecomeWhom(const Arguments& arguments) {
  const auto user = Number(arguments, "uid");
  if (!user) return;
  std::vector<gid_t> groups;
  std::istringstream text(Value(arguments, "groups"));
  for (std::string group; std::getline(text, group, ',');) {
    groups.push_back(static_cast<gid_t>(std::stoul(group)));
  }
  const int group = Number(arguments, "gid").value_or(*user);
  if (BecomeUser(static_cast<uid_t>(*user), static_cast<gid_t>(group), groups)) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // Forgotten when the user changes.
    return;
  }
  Say("cannot become user " + std::to_string(*user));
  _exit(1);
}

int Serve(const Arguments& arguments) {
  Loop loop;
  TalkingService talking;
  Server server(loop);
  Status status = server.Serve(talking.service);
  if (status.ok()) status = Open(server, arguments);
  Say(status.ok() ? "ready" : status.ToString());
  if (!status.ok()) return 1;
  Orders orders(loop, STDIN_FILENO, [&](const std::string&) {
    server.Stop();
    Say("stopped");
  });
  loop.Run();
  return 0;
}

int Daemon(const Arguments& arguments) {
  Loop loop;
  TalkingService talking;
  Server server(loop);
  Status status = server.Serve(talking.service);
  if (status.ok()) status = server.Listen(Value(arguments, "endpoint"), {.mode = 0666});
  std::array<int, 2> to_child{};
  if (!status.ok() || pipe(to_child.data()) != 0) return 1;
  if (fork() == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(to_child[1]);
    uv_loop_fork(loop.uv());
    BecomeWhom({"uid=" + Value(arguments, "child_uid")});
    Say("ready " + std::to_string(getpid()));
    Orders orders(loop, to_child[0], [&](const std::string&) {
      server.Stop();
      Say("child stopped");
    });
    loop.Run();
    return 0;
  }
  for (std::string line; std::getline(std::cin, line);) {
    if (line == "child stops" && write(to_child[1], "\n", 1) != 1) return 1;
    if (line == "parent stops") {
      server.Stop();
      Say("parent stopped");
    }
    if (line == "parent serves") {
      Say(line);
      Orders orders(loop, STDIN_FILENO, [](const std::string&) {});
      loop.Run();
    }
  }
  close(to_child[1]);
  return wait(nullptr) > 0 ? 0 : 1;
}

}  // namespace lwmsg::test
