#include "tests/multiprocess/posix/roles.h"

#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include <array>
#include <iostream>
#include <optional>
#include <sstream>

#include "lwmsg/lwmsg.h"
#include "tests/multiprocess/orders.h"
#include "tests/multiprocess/posix/user.h"
#include "tests/multiprocess/talking_service.h"

namespace lwmsg::test {
namespace {

std::optional<int> Number(const Arguments& arguments, const std::string& key) {
  const std::string text = Value(arguments, key);
  return text.empty() ? std::nullopt : std::optional(std::stoi(text));
}

}  // namespace

std::map<std::string, Role> RolesOfThisSystem() {
  return {{"daemon", Daemon}, {"activate", Activate},    {"activated", Activated},
          {"spawn", Spawn},   {"take-twice", TakeTwice}, {"list-sockets", ListSockets}};
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
    DieWithParent();  // Forgotten when the user changes.
    return;
  }
  Say("cannot become user " + std::to_string(*user));
  _exit(1);
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
    DieWithParent();
    close(to_child[1]);
    uv_loop_fork(loop.uv());
    BecomeWhom({"uid=" + Value(arguments, "child_uid")});
    Say("ready " + std::to_string(getpid()));
    dup2(to_child[0], STDIN_FILENO);
    Orders orders(loop, [&](const std::string&) {
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
      Orders orders(loop, [](const std::string&) {});
      loop.Run();
    }
  }
  close(to_child[1]);
  return wait(nullptr) > 0 ? 0 : 1;
}

}  // namespace lwmsg::test
