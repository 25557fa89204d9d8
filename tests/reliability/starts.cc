#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "lwmsg/lwmsg.h"
#include "tests/reliability/child.h"
#include "tests/reliability/figures.h"
#include "tests/reliability/measures.h"
#include "tests/reliability/raw.h"
#include "tests/reliability/server.h"
#include "tests/support/inventory.h"
#include "tests/support/posix/next_number.h"
#include "tests/support/posix/rights.h"

// Processes that start, end, and have the numbers of others.
namespace lwmsg::test {
namespace {

using std::chrono::seconds;

OsHandle ReceiveHandle(const OsHandle& socket) {
  std::array<char, 1> byte{};
  std::vector<OsHandle> handles;
  ReceiveRights(socket, byte, handles, 0);
  return handles.empty() ? OsHandle() : std::move(handles.front());
}

// A process of another user that has this number, which is free. Null: others were faster.
std::unique_ptr<Child> TakeNumber(pid_t number) {
  static_cast<void>(ChooseNextNumber(number));
  auto child = std::make_unique<Child>([](const Talk& talk) { talk.Hear(); }, User(kVictim));
  return child->pid() == number ? std::move(child) : nullptr;
}

enum class Reuse { kNotForced, kRight, kWrong };

// Somebody connects and dies, while the server sleeps or not, and another process gets the number.
Reuse ReuseNumber(const std::string& endpoint, const ServerProcess& server, bool sleeps) {
  if (sleeps) server.Signal(SIGSTOP);
  Child connector(
      [&](const Talk& talk) {
        const OsHandle socket = ConnectRaw(endpoint);
        SendWith(talk.socket(), "s", socket.get(), 1);
        talk.Hear();
      },
      User(kAttacker));
  const OsHandle socket = ReceiveHandle(connector.talk().socket());
  const pid_t number = connector.pid();
  connector.End();
  const auto other = TakeNumber(number);
  server.Signal(SIGCONT);
  if (!other || !socket.valid()) return Reuse::kNotForced;
  FrameSource source(socket);
  Send(socket, HelloFrame() + WorkFrame(1, kWorkWhoami));
  const auto reply = source.NextReply();
  // Who was dead before he was let in may be refused.
  if (!reply || reply->envelope().getReply().getStatus() != 0) return Reuse::kRight;
  const auto who =
      reply->envelope().getReply().getResults().getAs<reliability::Work::WhoamiResults>();
  return who.getUser() == kAttacker ? Reuse::kRight : Reuse::kWrong;
}

struct Callers {
  uint64_t answered = 0;
  uint64_t lost = 0;     // With the server, as it must be.
  uint64_t strange = 0;  // Ended otherwise.

  void Add(StatusCode code) {
    const bool is_lost = code == StatusCode::kUnavailable || code == StatusCode::kNotFound;
    ++(code == StatusCode::kOk ? answered : is_lost ? lost : strange);
  }
};

StatusCode CallOnce(BlockingClient& client) {
  const auto reply = reliability::WorkClient(client).Count().Sync();
  return reply ? StatusCode::kOk : reply.error().code();
}

// With one client, which connects again.
StatusCode CallOfOneClient(const std::string& endpoint) {
  static std::optional<BlockingClient> client;
  if (!client) {
    ClientOptions options;
    options.reconnect = Reconnect::kOnNextCall;
    client.emplace(endpoint, std::move(options));
  }
  return CallOnce(*client);
}

// With a new client. A server that takes nobody any more may have accepted it: it is told to
// connect again.
StatusCode CallOfNewClient(const std::string& endpoint) {
  StatusCode code = StatusCode::kUnavailable;
  for (int tries = 0; tries < 3 && code == StatusCode::kUnavailable; ++tries) {
    BlockingClient client(endpoint);
    code = CallOnce(client);
  }
  return code;
}

using CallFunction = StatusCode (*)(const std::string& endpoint);

// Until it is told to end; says what came of it.
void CallUntilTold(const std::string& endpoint, CallFunction call, const Talk& talk) {
  Callers seen;
  while (!talk.spoken()) seen.Add(call(endpoint));
  talk.Hear();
  std::ostringstream line;
  line << seen.answered << ' ' << seen.lost << ' ' << seen.strange;
  talk.Say(line.str());
}

std::vector<std::unique_ptr<Child>> StartCallers(const std::string& endpoint, CallFunction call) {
  std::vector<std::unique_ptr<Child>> callers;
  for (int i = 0; i < 2; ++i) {
    callers.push_back(std::make_unique<Child>(
        [&endpoint, call](const Talk& talk) { CallUntilTold(endpoint, call, talk); }));
  }
  return callers;
}

Callers EndCallers(const std::vector<std::unique_ptr<Child>>& callers) {
  Callers all;
  for (const auto& caller : callers) {
    caller->talk().Say("end");
    std::istringstream words(caller->talk().Hear(seconds(60)));
    Callers one;
    // One that hangs says nothing.
    if (!(words >> one.answered >> one.lost >> one.strange)) one.strange = 1;
    all.answered += one.answered;
    all.lost += one.lost;
    all.strange += one.strange;
  }
  return all;
}

bool IsServed(const std::string& endpoint) {
  const OsHandle socket = ConnectRaw(endpoint);
  return socket.valid() && GreetAndCall(socket);
}

}  // namespace

void MeasurePidReuse(Report& report, size_t size) {
  if (!CanBecomeOthers()) return report.Skip("needs root, to give out numbers of processes");
  const TemporaryFolder folder;
  const ServerProcess server(folder.Endpoint());
  size_t forced = 0;
  size_t wrong = 0;
  // Others fork too.
  for (size_t i = 0; i < 20 * size && forced < size; ++i) {
    const Reuse reuse = ReuseNumber(folder.Endpoint(), server, i % 2 == 0);
    if (reuse != Reuse::kNotForced) ++forced;
    if (reuse == Reuse::kWrong) ++wrong;
  }
  report.Count(std::to_string(forced) + " numbers reused, " + std::to_string(wrong) +
                   " callers taken for others",
               std::to_string(size) + ", 0", forced == size && wrong == 0);
}

void MeasureStartRaces(Report& report, size_t size) {
  const TemporaryFolder folder;
  size_t single = 0;
  size_t served = 0;
  for (size_t i = 0; i < size; ++i) {
    std::array<int, 2> gate{};
    if (pipe2(gate.data(), O_CLOEXEC) != 0) break;
    const OsHandle reader(gate[0]);
    OsHandle writer(gate[1]);
    ServerConfig config;
    config.gate = reader.get();
    ServerProcess first(folder.Endpoint(), config);
    ServerProcess second(folder.Endpoint(), config);
    writer.Close();
    const bool first_owns = first.started() == "ready";
    const bool second_owns = second.started() == "ready";
    if (first_owns != second_owns) ++single;
    if (IsServed(folder.Endpoint())) ++served;
  }
  report.Count(
      std::to_string(single) + " times one owner, " + std::to_string(served) + " times served",
      "each time", single == size && served == size);
}

void MeasureKills(Report& report, size_t size) {
  const TemporaryFolder folder;
  auto server = std::make_unique<ServerProcess>(folder.Endpoint());
  const auto callers = StartCallers(folder.Endpoint(), CallOfOneClient);
  std::vector<double> times;
  size_t not_served = 0;
  for (size_t i = 0; i < size; ++i) {
    const auto killed = std::chrono::steady_clock::now();
    server.reset();
    server = std::make_unique<ServerProcess>(folder.Endpoint());
    if (!IsServed(folder.Endpoint())) ++not_served;
    times.push_back(MillisecondsSince(killed));
  }
  const Callers seen = EndCallers(callers);
  report.Count(std::to_string(not_served) + " starts not served; of the calls " +
                   std::to_string(seen.answered) + " answered, " + std::to_string(seen.lost) +
                   " lost with their server, " + std::to_string(seen.strange) + " ended otherwise",
               "0, some, any, 0", not_served == 0 && seen.strange == 0 && seen.answered != 0);
  const double p99 = P99(times);
  report.Time("p99 from the death to a call that is answered is " + Text(p99) + " ms",
              "at most 100", p99 <= 100);
}

void MeasureHandovers(Report& report, size_t size) {
  const TemporaryFolder folder;
  const OsHandle listening = ListenPlainly(folder.Endpoint());
  if (listen(listening.get(), 1024) != 0) std::abort();  // Nobody accepts while servers change.
  ServerConfig config;
  config.listening = listening.get();
  auto server = std::make_unique<ServerProcess>(folder.Endpoint(), config);
  const auto callers = StartCallers(folder.Endpoint(), CallOfNewClient);
  size_t not_ended = 0;
  for (size_t i = 0; i < size; ++i) {
    auto next = std::make_unique<ServerProcess>(folder.Endpoint(), config);
    server->Drain();
    if (!server->AwaitEnd()) ++not_ended;
    server = std::move(next);
  }
  const Callers seen = EndCallers(callers);
  report.Count(std::to_string(not_ended) + " servers did not end; of the connections " +
                   std::to_string(seen.answered) + " served, " +
                   std::to_string(seen.lost + seen.strange) + " not",
               "0, some, 0", not_ended == 0 && seen.answered != 0 && seen.lost + seen.strange == 0);
}

}  // namespace lwmsg::test
