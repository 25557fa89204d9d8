#include "tests/multiprocess/roles.h"

#include <cstdlib>

namespace lwmsg::test {

void BecomeWhom(const Arguments& arguments) {
  const std::string user = Value(arguments, "uid");
  if (user.empty()) return;
  Say("cannot become user " + user);
  std::_Exit(1);
}

std::map<std::string, Role> RolesOfThisSystem() { return {}; }

}  // namespace lwmsg::test
