#include <calculator.lwmsg.h>
#include <stdio.h>

#include "system.h"

int main(int argc, char** argv) {
  lwmsg::BlockingClient service(argc > 1 ? argv[1] : "");
  auto tape = CalculatorClient(service).Tape().Sync().and_then([](auto r) { return r.takeTape(); });
  if (!tape) return fprintf(stderr, "%s\n", tape.error().ToString().c_str()), 1;
  return Print(*tape) ? 0 : 1;
}
