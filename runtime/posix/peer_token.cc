#include "runtime/posix/peer_token.h"

#include <fcntl.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <fstream>
#include <string>
#include <vector>

#include "runtime/platform.h"
#include "runtime/posix/socket_address.h"
#include "runtime/posix/socket_options.h"

namespace lwmsg::internal {
namespace {

// Users and groups without a number in this user namespace show as these (user_namespaces(7)).
constexpr uint32_t kOverflowId = 65534;

// In a namespace that maps every number to itself, 65534 is a real user: nobody.
bool MapsAllIds(const char* map_file) {
  std::ifstream map(map_file);
  uint64_t inside = 1;
  uint64_t outside = 1;
  uint64_t count = 0;
  map >> inside >> outside >> count;
  return inside == 0 && outside == 0 && count == 0xFFFFFFFF;
}

std::optional<uint32_t> KnownGroup(uint32_t id) {
  static const bool all_mapped = MapsAllIds("/proc/self/gid_map");
  if (id == kOverflowId && !all_mapped) return std::nullopt;
  return id;
}

// 0 stands for a process outside this pid namespace (pid_namespaces(7)).
std::optional<uint32_t> KnownProcess(pid_t pid) {
  if (pid <= 0) return std::nullopt;
  return static_cast<uint32_t>(pid);
}

TokenFacts FactsOf(const ucred& credentials) {
  TokenFacts facts;
  // What was written before SO_PASSCRED was on has no sender: the kernel says process 0 and, for
  // lack of an id, nobody's (Linux 6.18). That is not the user nobody.
  if (credentials.pid <= 0 && credentials.uid == kOverflowId && credentials.gid == kOverflowId) {
    return facts;
  }
  facts.euid = KnownUser(credentials.uid);
  facts.egid = KnownGroup(credentials.gid);
  facts.pid = KnownProcess(credentials.pid);
  return facts;
}

std::optional<std::vector<uint32_t>> Groups(const OsHandle& socket) {
  std::vector<gid_t> groups(32);
  auto size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
  while (getsockopt(socket.get(), SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) != 0) {
    if (errno != ERANGE) return std::nullopt;
    groups.resize(size / sizeof(gid_t));  // The kernel has told how many there are.
  }
  groups.resize(size / sizeof(gid_t));
  return std::vector<uint32_t>(groups.begin(), groups.end());
}

std::optional<std::string> Label(const OsHandle& socket) {
  // Without a security module that labels sockets it is so for all of them.
  static std::atomic<bool> labels = true;
  if (!labels) return std::nullopt;
  std::array<char, 4096> label{};
  socklen_t size = label.size();
  if (getsockopt(socket.get(), SOL_SOCKET, SO_PEERSEC, label.data(), &size) != 0) {
    if (errno == ENOPROTOOPT) labels = false;
    return std::nullopt;
  }
  std::string text(label.data(), size);
  while (!text.empty() && text.back() == '\0') text.pop_back();
  return text;
}

OsHandle Process(const OsHandle& socket) {
  int pidfd = -1;
  socklen_t size = sizeof(pidfd);
  if (getsockopt(socket.get(), SOL_SOCKET, kSoPeerPidfd, &pidfd, &size) != 0) return OsHandle();
  return OsHandle(pidfd);  // Close-on-exec from birth.
}

TokenFacts FactsOf(const OsHandle& socket) {
  ucred credentials{};
  socklen_t size = sizeof(credentials);
  if (getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return {};
  return FactsOf(credentials);
}

Token TokenOfSocket(const OsHandle& socket) {
  TokenFacts facts = FactsOf(socket);
  facts.groups = Groups(socket);
  facts.label = Label(socket);
  facts.process = Process(socket);
  return Token(std::move(facts));
}

// Sockets of a pair have no name on either side; those that met by listen and connect have one.
bool IsUnnamed(int (*name_of)(int, sockaddr*, socklen_t*), const OsHandle& socket) {
  sockaddr_un address{};
  socklen_t size = sizeof(address);
  if (name_of(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) return true;
  return size <= offsetof(sockaddr_un, sun_path);
}

}  // namespace

std::optional<uint32_t> KnownUser(uint32_t number) {
  static const bool all_mapped = MapsAllIds("/proc/self/uid_map");
  if (number == kOverflowId && !all_mapped) return std::nullopt;
  return number;
}

SocketPeer PeerOfAccepted(const OsHandle& socket) { return {TokenOfSocket(socket), true}; }

SocketPeer PeerOfConnected(const OsHandle& socket) { return {Token(FactsOf(socket)), false}; }

SocketPeer PeerOfGiven(const OsHandle& socket) {
  if (!IsUnnamed(getsockname, socket)) return PeerOfAccepted(socket);
  if (!IsUnnamed(getpeername, socket)) return PeerOfConnected(socket);
  return {Token(), false};
}

Token OwnToken() {
  // The kernel names the creator of a pair at both ends: it tells of this process what it tells of
  // others.
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return Token();
  const OsHandle socket(ends[0]);
  const OsHandle other(ends[1]);
  return TokenOfSocket(socket);
}

void ReceiveCredentials(const OsHandle& socket, bool on) {
  const int value = on ? 1 : 0;
  SetPassCredentials(socket, on);
  // Older kernels have no pidfds here: the token then has none.
  setsockopt(socket.get(), SOL_SOCKET, kSoPassPidfd, &value, sizeof(value));
}

Token WriterToken(const ucred& credentials, OsHandle process) {
  TokenFacts facts = FactsOf(credentials);
  facts.process = std::move(process);
  return Token(std::move(facts));
}

Status CheckWriter(const std::optional<ucred>& credentials, const Token& connector) {
  const auto writer = credentials ? FactsOf(*credentials).euid : std::nullopt;
  if (writer && writer == connector.euid()) return Status();
  return Status(StatusCode::kPermissionDenied,
                (writer ? "user " + std::to_string(*writer) : "an unknown user") +
                    " wrote to the connection of " + connector.ToString() +
                    ", which only that user may (ListenOptions::strict_senders)");
}

}  // namespace lwmsg::internal
