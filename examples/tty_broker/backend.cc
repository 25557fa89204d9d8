#include "backend.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "tty_broker.lwmsg.h"

namespace {

using lwmsg::Error;
using lwmsg::OsHandle;
using lwmsg::Result;
using lwmsg::Status;
using lwmsg::StatusCode;

constexpr std::array<std::string_view, 2> kSerialPrefixes = {"ttyS", "ttyUSB"};
constexpr std::string_view kPseudoPrefix = "pts/";
constexpr size_t kMaxDigits = 5;

bool IsPrefixAndNumber(std::string_view name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return false;
  const std::string_view number = name.substr(prefix.size());
  return !number.empty() && number.size() <= kMaxDigits &&
         std::all_of(number.begin(), number.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool IsSerial(std::string_view name) {
  return std::any_of(kSerialPrefixes.begin(), kSerialPrefixes.end(),
                     [name](std::string_view prefix) { return IsPrefixAndNumber(name, prefix); });
}

// What a name from outside looks like in a message: short, and with nothing that a terminal or a
// log would act on.
std::string Quote(std::string_view name) {
  constexpr size_t kLongest = 32;
  std::string quoted = "\"";
  for (const char c : name.substr(0, kLongest)) quoted += c >= ' ' && c <= '~' ? c : '?';
  return quoted + (name.size() > kLongest ? "...\"" : "\"");
}

Status Refused(StatusCode code, std::string_view name, const std::string& why) {
  return Status(code, "terminal " + Quote(name) + " refused: " + why);
}

// Says what is wrong with the open file, whatever its name promised.
Status CheckTerminal(const OsHandle& terminal, std::string_view name, uint32_t caller) {
  struct stat facts{};
  if (fstat(terminal.get(), &facts) != 0) {
    return Refused(StatusCode::kInternal, name, std::strerror(errno));
  }
  if (!S_ISCHR(facts.st_mode) || isatty(terminal.get()) != 1) {
    return Refused(StatusCode::kInvalidArgument, name, "it is no terminal");
  }
  // Behind a pseudo-terminal sits its owner's session, whose keys it would give away.
  if (!IsSerial(name) && facts.st_uid != caller) {
    return Refused(StatusCode::kPermissionDenied, name,
                   "it belongs to user " + std::to_string(facts.st_uid) + ", the caller is " +
                       std::to_string(caller));
  }
  if (flock(terminal.get(), LOCK_EX | LOCK_NB) != 0) {
    return Refused(StatusCode::kFailedPrecondition, name,
                   errno == EWOULDBLOCK ? "somebody else has it" : std::strerror(errno));
  }
  return Status();
}

Result<OsHandle> OpenTerminal(std::string_view name, uint32_t caller) {
  if (!IsSerial(name) && !IsPrefixAndNumber(name, kPseudoPrefix)) {
    return Error(Refused(StatusCode::kInvalidArgument, name,
                         "a terminal is called ttyS, ttyUSB or pts/ and a number"));
  }
  const OsHandle devices(open("/dev", O_PATH | O_DIRECTORY | O_CLOEXEC));
  // Not blocking: a serial line without a carrier would hold up the broker.
  OsHandle terminal(openat(devices.get(), std::string(name).c_str(),
                           O_RDWR | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
  if (!terminal.valid()) {
    const StatusCode code = errno == ENOENT ? StatusCode::kNotFound : StatusCode::kInternal;
    return Error(Refused(code, name, std::strerror(errno)));
  }
  if (Status status = CheckTerminal(terminal, name, caller); !status.ok()) {
    return Error(std::move(status));
  }
  return terminal;
}

class Broker final : public tty::TtyBrokerService {
 public:
  explicit Broker(uid_t caller) : caller_(caller) {}

 private:
  void Open(OpenCall call) override {
    // The trusted parent said whom it would become. Anyone else at the other end, also the parent
    // itself before it dropped its privileges, has no business here.
    if (call.peer().euid() != caller_) {
      return call.Fail(
          StatusCode::kPermissionDenied,
          "this broker serves user " + std::to_string(caller_) + ", not " + call.peer().ToString());
    }
    const capnp::Text::Reader name = call->getName();
    auto terminal = OpenTerminal(std::string_view(name.begin(), name.size()), caller_);
    if (!terminal) return call.Fail(std::move(terminal).error());
    call.results().setTty(std::move(*terminal));
    call.Reply();
  }

  const uint32_t caller_;
};

}  // namespace

lwmsg::Status RunBackend(uid_t caller) {
  auto pair = lwmsg::TakeInheritedPair();
  if (!pair) return std::move(pair).error();
  Broker broker(caller);
  lwmsg::Loop loop;
  lwmsg::Server server(loop,
                       {.on_end = [&loop](const lwmsg::Token&, const Status&) { loop.Stop(); }});
  Status status = server.Serve(broker);
  if (status.ok()) status = server.Adopt(std::move(*pair));
  if (status.ok()) loop.Run();
  return status;
}
