#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <sstream>

#include "tests/multiprocess/orders.h"
#include "tests/multiprocess/posix/roles.h"
#include "tests/multiprocess/roles.h"
#include "tests/support/sample_service.h"

// A service manager's last steps before it becomes the service, and that service.
namespace lwmsg::test {
namespace {

std::vector<std::string> Split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

void SetUnlessEmpty(const char* variable, const std::string& value) {
  if (!value.empty()) setenv(variable, value.c_str(), 1);
}

}  // namespace

int Activate(const Arguments& arguments) {
  std::vector<int> copies;
  for (const std::string& number : Split(Value(arguments, "sockets"), ',')) {
    copies.push_back(fcntl(std::stoi(number), F_DUPFD_CLOEXEC, 100));
  }
  int place = 3;
  for (const int copy : copies) dup2(copy, place++);
  const std::string count = Value(arguments, "count");
  SetUnlessEmpty("LISTEN_FDS", count.empty() ? std::to_string(copies.size()) : count);
  const std::string pid = Value(arguments, "pid");
  SetUnlessEmpty("LISTEN_PID", pid.empty() ? std::to_string(getpid()) : pid);
  SetUnlessEmpty("LISTEN_FDNAMES", Value(arguments, "names"));
  SetUnlessEmpty("NOTIFY_SOCKET", Value(arguments, "notify"));
  std::vector<std::string> words = {OwnPath(), "--role=activated"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  execv(argv[0], argv.data());
  return 1;
}

int Activated(const Arguments& arguments) {
  Loop loop;
  SampleService service;
  Server server(loop);
  if (!server.Serve(service).ok()) return 1;
  for (const std::string& name : Split(Value(arguments, "take"), ',')) {
    auto socket = TakeListenSocket(name);
    if (!socket) {
      Say(socket.error().ToString());
      continue;
    }
    const bool close_on_exec = (fcntl(socket->get(), F_GETFD) & FD_CLOEXEC) != 0;
    Status listening = server.ListenOn(std::move(*socket));
    Say("took " + name + (close_on_exec ? "" : " open for children") + ": " +
        (listening.ok() ? server.State().listeners.back().endpoint : listening.ToString()));
  }
  Say("ready " + NotifyReady(Value(arguments, "text")).ToString());
  Orders orders(loop, [&](const std::string& line) {
    if (line == "stop") {
      server.Stop();
      Say("stopping " + NotifyStopping().ToString());
    } else {
      Say("told " + NotifyStatus(line).ToString());
    }
  });
  loop.Run();
  return 0;
}

}  // namespace lwmsg::test
