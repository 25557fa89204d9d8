#include <lwmsg/lwmsg.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <iostream>
#include <utility>

#include "backend.h"
#include "privileges.h"
#include "tty_broker.lwmsg.h"

namespace {

using lwmsg::OsHandle;
using lwmsg::Status;
using lwmsg::StatusCode;

// The first argument of the privileged half; the second is the number of the user that it serves.
constexpr const char* kBackendRole = "backend";

constexpr int kAnswerTimeoutMs = 10'000;

struct Options {
  std::string user;
  std::string terminal;
  std::string text;
  bool read = false;
};

Status Failed(const std::string& what) {
  return Status(StatusCode::kInternal, what + ": " + std::strerror(errno));
}

Status WaitFor(const OsHandle& terminal, short event) {
  pollfd wait{terminal.get(), event, 0};
  const int ready = poll(&wait, 1, kAnswerTimeoutMs);
  if (ready < 0) return Failed("cannot wait for the terminal");
  if (ready == 0) return Status(StatusCode::kDeadlineExceeded, "the terminal stays silent");
  return Status();
}

Status Write(const OsHandle& terminal, std::string_view text) {
  while (!text.empty()) {
    if (Status status = WaitFor(terminal, POLLOUT); !status.ok()) return status;
    const ssize_t size = write(terminal.get(), text.data(), text.size());
    if (size < 0 && errno != EAGAIN) return Failed("cannot write to the terminal");
    if (size > 0) text.remove_prefix(static_cast<size_t>(size));
  }
  return Status();
}

// A terminal gives whole lines, unless it was told otherwise (termios(3), "Canonical mode").
Status PrintLine(const OsHandle& terminal) {
  if (Status status = WaitFor(terminal, POLLIN); !status.ok()) return status;
  char line[4096];
  const ssize_t size = read(terminal.get(), line, sizeof(line));
  if (size < 0) return Failed("cannot read from the terminal");
  std::cout << "read: ";
  std::cout.write(line, size);
  return Status();
}

Status UseTerminal(lwmsg::Channel channel, const Options& options) {
  auto request = tty::TtyBrokerClient(std::move(channel)).Open();
  request->setName(options.terminal);
  auto reply = request.Sync();
  if (!reply) return std::move(reply).error();
  auto terminal = reply->takeTty();
  if (!terminal) return std::move(terminal).error();
  std::cout << "user " << geteuid() << " got " << options.terminal << std::endl;
  Status status = Write(*terminal, options.text);
  if (status.ok() && options.read) status = PrintLine(*terminal);
  return status;
}

Status BecomeFrontEnd(const Identity& identity) {
  if (geteuid() == 0) return DropPrivileges(identity);
  std::cerr << "tty_broker: not started as root, so there is nothing to drop\n";
  return Status();
}

Status RunFrontEnd(const Options& options) {
  const uid_t privileged = geteuid();
  const auto identity = FindUser(privileged == 0 ? options.user : std::to_string(privileged));
  if (!identity) return identity.error();
  auto backend =
      lwmsg::SpawnWithPair({"/proc/self/exe", kBackendRole, std::to_string(identity->uid)});
  if (!backend) return std::move(backend).error();
  Status status = BecomeFrontEnd(*identity);
  if (status.ok()) {
    lwmsg::BlockingClient client(std::move(backend->channel), {.server_euid = privileged});
    status = UseTerminal(client, options);
  }
  // With the channel gone the back end ends by itself.
  backend->channel.Close();
  waitpid(static_cast<pid_t>(backend->pid), nullptr, 0);
  return status;
}

int Report(const Status& status) {
  if (!status.ok()) std::cerr << "tty_broker: " << status << '\n';
  return status.ok() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == kBackendRole) {
    auto caller = FindUser(argv[2]);
    return Report(caller ? RunBackend(caller->uid) : caller.error());
  }
  CLI::App app("Talks to a terminal that only a privileged helper process may open.");
  Options options;
  app.add_option("NAME", options.terminal, "The terminal below /dev: ttyS0, ttyUSB0, pts/3")
      ->required();
  app.add_option("--user", options.user, "Whom to become for good, when started as root")
      ->default_val("nobody");
  app.add_option("--write", options.text, "What to write to the terminal");
  app.add_flag("--read", options.read, "Print a line that the terminal gives");
  CLI11_PARSE(app, argc, argv);
  return Report(RunFrontEnd(options));
}
