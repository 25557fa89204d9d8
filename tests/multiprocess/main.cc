#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>

#include <cstring>
#include <map>

#include "tests/multiprocess/roles.h"

namespace {

using lwmsg::test::Arguments;

int RunRole(const std::string& name, const Arguments& arguments) {
  namespace test = lwmsg::test;
  const std::map<std::string, int (*)(const Arguments&)> roles = {
      {"serve", test::Serve},
      {"daemon", test::Daemon},
      {"serve-pair", test::ServePair},
      {"call", test::Call},
      {"activate", test::Activate},
      {"activated", test::Activated},
      {"keep", test::Keep},
      {"spawn", test::Spawn},
      {"take-twice", test::TakeTwice},
      {"list-sockets", test::ListSockets}};
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // Outlives no test that was killed.
  test::BecomeWhom(arguments);
  return roles.at(name)(arguments);
}

}  // namespace

int main(int argc, char** argv) {
  constexpr const char* kRole = "--role=";
  if (argc > 1 && std::strncmp(argv[1], kRole, std::strlen(kRole)) == 0) {
    return RunRole(argv[1] + std::strlen(kRole), Arguments(argv + 2, argv + argc));
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
