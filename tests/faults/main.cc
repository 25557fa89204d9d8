// Runs faults against lwmsg: README.md. Arguments: --every N and --seed S (a sample), --only GROUP
// (calls, memory, short, kills or load), --call NAME (of the group calls), --kills N (of the group
// load), --case TEXT (one run, as a finding names it).
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>

#include "tests/faults/runner.h"

namespace faults {
namespace {

struct Arguments {
  uint32_t every = 1;
  uint32_t seed = 0;
  uint32_t kills = 2000;
  std::string only;
  std::string call;
  std::string one;
};

Arguments Parse(int argc, char** argv) {
  Arguments parsed;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view name = argv[i];
    if (i + 1 == argc) throw std::invalid_argument(std::string(name) + " needs a value");
    const std::string value = argv[i + 1];
    if (name == "--only") {
      parsed.only = value;
    } else if (name == "--call") {
      parsed.only = "calls";
      parsed.call = value;
    } else if (name == "--case") {
      parsed.one = value;
    } else if (name == "--every") {
      parsed.every = static_cast<uint32_t>(std::max(std::stoul(value), 1UL));
    } else if (name == "--seed") {
      parsed.seed = static_cast<uint32_t>(std::stoul(value));
    } else if (name == "--kills") {
      parsed.kills = static_cast<uint32_t>(std::stoul(value));
    } else {
      throw std::invalid_argument("no argument is called " + std::string(name));
    }
  }
  return parsed;
}

// All cases, or a sample of them.
class Cases {
 public:
  Cases(Runner& runner, const Arguments& arguments) : runner_(runner), arguments_(arguments) {}

  void Run(const Case& one) {
    if ((number_++ + arguments_.seed) % arguments_.every == 0) runner_.Run(one);
  }
  // `each(of, seen)` for both roles in both sessions; `of` is a case without a plan, `seen` what
  // that role calls.
  void ForEachRole(const std::function<void(Case of, const Seen& seen)>& each) {
    for (const bool in_server : {false, true}) {
      for (const Session session : {Session::kBlocking, Session::kCallbacks}) {
        Seen seen;
        runner_.Count(in_server, session, seen);
        each({.in_server = in_server, .session = session, .plan = {}}, seen);
      }
    }
  }

 private:
  Runner& runner_;
  const Arguments& arguments_;
  uint32_t number_ = 0;
};

// Every call of each kind fails once, with each of its errors.
void FailCalls(Cases& cases, const std::string& only) {
  cases.ForEachRole([&](Case one, const Seen& seen) {
    for (size_t call = 0; call < kCalls; ++call) {
      if (static_cast<Call>(call) == Call::kMalloc) continue;
      if (!only.empty() && only != NameOf(static_cast<Call>(call))) continue;
      for (const int error : ErrorsOf(static_cast<Call>(call))) {
        for (uint32_t first = 0; first < seen.calls[call]; ++first) {
          one.plan = {What::kFail, static_cast<Call>(call), error, first, 1};
          cases.Run(one);
        }
      }
    }
  });
}

// Every allocation fails, alone and with up to three behind it.
void FailMemory(Cases& cases) {
  cases.ForEachRole([&](Case one, const Seen& seen) {
    for (uint32_t count = 1; count <= 4; ++count) {
      for (uint32_t first = 0; first < seen.calls[static_cast<size_t>(Call::kMalloc)]; ++first) {
        one.plan = {What::kFail, Call::kMalloc, ErrorsOf(Call::kMalloc).front(), first, count};
        cases.Run(one);
      }
    }
  });
}

// One byte at a time: everywhere, and once at each place.
void CutShort(Cases& cases) {
  cases.ForEachRole([&](Case one, const Seen& seen) {
    for (const Call call : {Call::kRecvmsg, Call::kSendmsg}) {
      one.plan = {What::kShort, call, 0, 0, std::numeric_limits<uint32_t>::max()};
      cases.Run(one);
      for (uint32_t first = 0; first < seen.calls[static_cast<size_t>(call)]; ++first) {
        one.plan = {What::kShort, call, 0, first, 1};
        cases.Run(one);
      }
    }
  });
}

// kill -9 at every system call.
void KillAtCalls(Cases& cases) {
  cases.ForEachRole([&](Case one, const Seen& seen) {
    for (uint32_t first = 0; first < seen.system_calls; ++first) {
      one.plan = {What::kKill, Call::kRead, 0, first, 1};
      cases.Run(one);
    }
  });
}

// kill -9 at moments of a peer's work that nobody chose.
void KillUnderLoad(Runner& runner, const Arguments& arguments) {
  std::mt19937 random(arguments.seed);
  std::uniform_int_distribution<int> moment(0, 4000);
  for (uint32_t i = 0; i < arguments.kills / arguments.every; ++i) {
    const std::chrono::microseconds after(moment(random));
    i % 2 == 0 ? runner.KillServer(after) : runner.KillClient(after);
  }
}

// What a group found; whether that is nothing.
bool Print(const char* group, Totals totals, std::chrono::steady_clock::duration taken) {
  std::printf("%-6s %6u runs, %6u struck, %4u servers refused to begin, %3u findings, %.1f s",
              group, totals.runs, totals.struck, totals.refused, totals.findings,
              std::chrono::duration<double>(taken).count());
  auto& all = totals.recoveries;
  if (!all.empty()) {
    std::sort(all.begin(), all.end());
    const auto milliseconds = [&](size_t of_hundred) {
      return static_cast<double>(all[(all.size() - 1) * of_hundred / 100].count()) / 1000;
    };
    std::printf(
        "; the next client was served after %.1f ms (median), %.1f ms (99 %%), %.1f ms "
        "(longest)",
        milliseconds(50), milliseconds(99), milliseconds(100));
  }
  std::printf("\n");
  std::fflush(stdout);
  return totals.findings == 0;
}

int RunGroups(const Arguments& arguments) {
  Runner runner;
  if (!arguments.one.empty()) {
    const bool good = runner.Run(Case::Parse(arguments.one));
    std::printf("%s\n", good ? "nothing is wrong" : "");
    return good ? 0 : 1;
  }
  Cases cases(runner, arguments);
  struct Group {
    const char* name;
    std::function<void()> run;
  };
  const Group groups[] = {{"calls", [&] { FailCalls(cases, arguments.call); }},
                          {"memory", [&] { FailMemory(cases); }},
                          {"short", [&] { CutShort(cases); }},
                          {"kills", [&] { KillAtCalls(cases); }},
                          {"load", [&] { KillUnderLoad(runner, arguments); }}};
  bool good = true;
  for (const Group& group : groups) {
    if (!arguments.only.empty() && arguments.only != group.name) continue;
    const auto begin = std::chrono::steady_clock::now();
    group.run();
    good &= Print(group.name, runner.TakeTotals(), std::chrono::steady_clock::now() - begin);
  }
  return good ? 0 : 1;
}

}  // namespace
}  // namespace faults

int main(int argc, char** argv) {
  try {
    return faults::RunGroups(faults::Parse(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "lwmsg_faults: %s\n", error.what());
    return 2;
  }
}
