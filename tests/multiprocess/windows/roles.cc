#include "tests/multiprocess/windows/roles.h"

#include <cstdlib>

#include "tests/multiprocess/windows/handles_to_pass.h"

namespace lwmsg::test {

void BecomeWhom(const Arguments& arguments) {
  const std::string user = Value(arguments, "uid");
  if (user.empty()) return;
  Say("cannot become user " + user);
  std::_Exit(1);
}

namespace {

// Sends handles of each kind to the server at `endpoint=` and gets them back, until one of the two
// ends. Prints "going" after the first.
int PassHandles(const Arguments& arguments) {
  BlockingClient client(Value(arguments, "endpoint"));
  if (!Value(arguments, "take").empty()) TakeOne(client);
  for (bool first = true; PassAll(client).ok(); first = false) {
    if (first) Say("going");
  }
  return 0;
}

}  // namespace

std::map<std::string, Role> RolesOfThisSystem() {
  return {{"pass-handles", PassHandles},
          {"spawn", Spawn},
          {"take-twice", TakeTwice},
          {"count-pipes", CountPipes},
          {"offer-number", OfferNumber}};
}

}  // namespace lwmsg::test
