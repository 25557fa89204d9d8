#include "lwmsg/service_manager.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "runtime/posix/socket_address.h"

namespace lwmsg {
namespace {

// Where the descriptors begin (SD_LISTEN_FDS_START, sd_listen_fds(3)).
constexpr int kFirstSocket = 3;
// How long a datagram may wait for a manager whose queue is full.
constexpr timeval kNotifyTimeout = {5, 0};

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::optional<int> ParseNumber(const std::string& text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::vector<std::string> SplitNames(const std::string& text) {
  std::vector<std::string> names(1);
  for (const char c : text) {
    if (c == ':') {
      names.emplace_back();
    } else {
      names.back() += c;
    }
  }
  return names;
}

// The names of the sockets that were handed over to this process: the first is that of descriptor
// 3.
Result<std::vector<std::string>> HandedOver() {
  const std::string pid = Variable("LISTEN_PID");
  const std::string count = Variable("LISTEN_FDS");
  if (pid.empty() || count.empty()) {
    return Error(StatusCode::kFailedPrecondition,
                 "no service manager handed sockets over to this process: LISTEN_PID or LISTEN_FDS "
                 "is not set; start it by its socket unit");
  }
  if (ParseNumber(pid) != static_cast<int>(getpid())) {
    return Error(StatusCode::kFailedPrecondition, "sockets were handed over to process " + pid +
                                                      " (LISTEN_PID), but this is " +
                                                      std::to_string(getpid()));
  }
  const auto sockets = ParseNumber(count);
  const int64_t most = sysconf(_SC_OPEN_MAX);
  if (!sockets || *sockets < 0 || *sockets > most - kFirstSocket) {
    return Error(StatusCode::kFailedPrecondition,
                 "LISTEN_FDS=" + count + " is no number of descriptors");
  }
  const std::string text = Variable("LISTEN_FDNAMES");
  if (text.empty()) return std::vector<std::string>(static_cast<size_t>(*sockets), "unknown");
  auto names = SplitNames(text);
  if (names.size() != static_cast<size_t>(*sockets)) {
    return Error(StatusCode::kFailedPrecondition, "LISTEN_FDNAMES=" + text + " has " +
                                                      std::to_string(names.size()) +
                                                      " names for LISTEN_FDS=" + count);
  }
  return names;
}

std::string NotFoundText(std::string_view name, const std::vector<std::string>& names,
                         const std::vector<int>& taken) {
  std::string text =
      "no socket named '" + std::string(name) + "' was handed over, or it was taken before;";
  for (size_t i = 0; i < names.size(); ++i) {
    const bool gone = std::count(taken.begin(), taken.end(), kFirstSocket + static_cast<int>(i));
    text += (i == 0 ? " there is '" : ", '") + names[i] + (gone ? "' (taken)" : "'");
  }
  return text + (names.empty() ? " there are none" : "");
}

Status Notify(std::string_view state, std::string_view text) {
  const std::string where = Variable("NOTIFY_SOCKET");
  if (where.empty()) return Status();
  if (text.find('\n') != std::string_view::npos) {
    return Status(StatusCode::kInvalidArgument,
                  "the text for the service manager has several lines: '" + std::string(text) +
                      "'; it takes one");
  }
  auto endpoint =
      Endpoint::Parse(where.front() == '@' ? "unix-abstract:" + where.substr(1) : "unix:" + where);
  if (!endpoint || (where.front() != '@' && where.front() != '/')) {
    return Status(StatusCode::kInvalidArgument,
                  "NOTIFY_SOCKET=" + where + " is neither an absolute path nor an @ name");
  }
  auto address = internal::ToSocketAddress(*endpoint);
  if (!address) return std::move(address).error();
  const OsHandle socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return internal::ErrnoStatus("cannot make a socket", errno);
  static_cast<void>(
      setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &kNotifyTimeout, sizeof(kNotifyTimeout)));
  std::string message(state);
  if (!text.empty()) message += (message.empty() ? "STATUS=" : "\nSTATUS=") + std::string(text);
  // One datagram: all of it or nothing.
  ssize_t sent = -1;
  do {
    sent = sendto(socket.get(), message.data(), message.size(), MSG_NOSIGNAL, address->get(),
                  address->size);
  } while (sent < 0 && errno == EINTR);
  if (sent >= 0) return Status();
  return internal::ErrnoStatus("cannot notify the service manager at NOTIFY_SOCKET=" + where,
                               errno);
}

}  // namespace

Result<OsHandle> TakeListenSocket(std::string_view name) {
  // The variables stay as they are: other users of the protocol in this process may read them.
  static std::vector<int> taken;
  auto names = HandedOver();
  if (!names) return Error(std::move(names).error());
  std::optional<int> found;
  for (size_t i = 0; i < names->size(); ++i) {
    const int number = kFirstSocket + static_cast<int>(i);
    if (std::count(taken.begin(), taken.end(), number) != 0) continue;
    if (fcntl(number, F_SETFD, FD_CLOEXEC) != 0) {
      return Error(StatusCode::kFailedPrecondition, "LISTEN_FDS counts descriptor " +
                                                        std::to_string(number) + " ('" +
                                                        (*names)[i] + "'), which is not open");
    }
    if (!found && (*names)[i] == name) found = number;
  }
  if (!found) return Error(StatusCode::kNotFound, NotFoundText(name, *names, taken));
  taken.push_back(*found);
  return OsHandle(*found);
}

Status NotifyReady(std::string_view text) { return Notify("READY=1", text); }
Status NotifyStopping(std::string_view text) { return Notify("STOPPING=1", text); }
Status NotifyStatus(std::string_view text) { return text.empty() ? Status() : Notify("", text); }

}  // namespace lwmsg
