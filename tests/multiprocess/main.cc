#include <gtest/gtest.h>

#include <cstring>
#include <map>

#include "tests/multiprocess/roles.h"

namespace {

using lwmsg::test::Arguments;

int RunRole(const std::string& name, const Arguments& arguments) {
  namespace test = lwmsg::test;
  std::map<std::string, test::Role> roles = test::RolesOfThisSystem();
  roles.insert({{"serve", test::Serve},
                {"serve-pair", test::ServePair},
                {"call", test::Call},
                {"keep", test::Keep},
                {"share", test::Share},
                {"occupy", test::Occupy},
                {"come-and-go", test::ComeAndGo}});
  test::DieWithParent();
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
