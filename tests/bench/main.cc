// A contender's program, in five roles:
//   list                                what contenders it has
//   run CONTENDER SCENARIO SECONDS      measures; in the current folder, which gets the socket
//   serve CONTENDER ENDPOINT            the server of a measurement
//   part CONTENDER ENDPOINT SCENARIO START TIME
//                                       one of several clients of a measurement, in nanoseconds
//   first CONTENDER ENDPOINT            one call, for the time that a start takes

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <iostream>

#include "running_server.h"
#include "scenarios.h"

namespace {

constexpr int kUsage = 2;
constexpr int kCannot = 3;

void AllowManyDescriptors() {
  rlimit limit;
  bench::Check(getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit");
  limit.rlim_cur = limit.rlim_max;
  bench::Check(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
}

const bench::Contender& Find(const std::vector<bench::Contender>& contenders, const char* name) {
  for (const bench::Contender& contender : contenders)
    if (contender.name == name) return contender;
  bench::Die("no such contender");
}

int Run(const std::vector<bench::Contender>& contenders, char** argv) {
  const std::chrono::duration<double> time(atof(argv[4]));
  const bool able = bench::Measure(Find(contenders, argv[2]), argv[3],
                                   std::chrono::duration_cast<std::chrono::nanoseconds>(time));
  fflush(stdout);
  // Threads of a library, or a server of this process, may still run.
  _exit(able ? 0 : kCannot);
}

void CallAsPart(const bench::Contender& contender, char** argv) {
  using std::chrono::nanoseconds;
  const bench::Meter::Clock::time_point start(nanoseconds(atoll(argv[5])));
  bench::CallAsPart(contender, argv[3], argv[4], start, nanoseconds(atoll(argv[6])));
  _exit(0);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<bench::Contender> contenders = bench::Contenders();
  const std::string role = argc > 1 ? argv[1] : "";
  AllowManyDescriptors();
  if (role == "list") {
    for (const bench::Contender& contender : contenders) std::cout << contender.name << '\n';
    return 0;
  }
  if (role == "run" && argc == 5) return Run(contenders, argv);
  if (role == "serve" && argc == 4) bench::ServeAll(Find(contenders, argv[2]), argv[3]);
  if (role == "part" && argc == 7) CallAsPart(Find(contenders, argv[2]), argv);
  if (role == "first" && argc == 4) {
    bench::CallOnce(Find(contenders, argv[2]), argv[3]);
    return 0;
  }
  std::cerr << "usage: " << argv[0] << " list | run CONTENDER SCENARIO SECONDS\n";
  return kUsage;
}
