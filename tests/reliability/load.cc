#include "tests/reliability/load.h"

#include <reliability.lwmsg.h>

#include <sstream>
#include <vector>

#include "lwmsg/lwmsg.h"
#include "tests/reliability/child.h"
#include "tests/reliability/figures.h"

namespace lwmsg::test {

std::string Load::ToLine() const {
  std::ostringstream line;
  line << calls << ' ' << failed << ' ' << seconds << ' ' << p99_us;
  return line.str();
}

Load Load::FromLine(const std::string& line) {
  Load load;
  std::istringstream words(line);
  // Nothing was said: nothing went well.
  if (!(words >> load.calls >> load.failed >> load.seconds >> load.p99_us)) load.failed = 1;
  return load;
}

Load CallFor(const std::string& endpoint, std::chrono::milliseconds time) {
  BlockingClient client(endpoint);
  reliability::WorkClient work(client);
  Load load;
  std::vector<double> times;
  const auto begin = std::chrono::steady_clock::now();
  auto now = begin;
  while (now - begin < time) {
    const auto reply = work.Count().Sync();
    const auto answered = std::chrono::steady_clock::now();
    times.push_back(std::chrono::duration<double, std::micro>(answered - now).count());
    now = answered;
    ++load.calls;
    if (!reply) ++load.failed;
  }
  load.seconds = MillisecondsSince(begin) / 1000;
  load.p99_us = P99(std::move(times));
  return load;
}

Load CallAsVictim(const std::string& endpoint, std::chrono::milliseconds time) {
  const Child victim([&](const Talk& talk) { talk.Say(CallFor(endpoint, time).ToLine()); },
                     User(kVictim));
  return Load::FromLine(victim.talk().Hear());
}

}  // namespace lwmsg::test
