#include <calculator.lwmsg.h>
#include <lwmsg/lwmsg.h>
#include <stdio.h>
#include <sys/sendfile.h>

int main() {
  lwmsg::BlockingClient service("unix:calculator.sock");
  auto tape = CalculatorClient(service).Tape().Sync().and_then([](auto r) { return r.takeTape(); });
  if (!tape) return fprintf(stderr, "%s\n", tape.error().ToString().c_str()), 1;
  if (sendfile(fileno(stdout), tape->get(), nullptr, 4096) < 0) return perror("sendfile"), 1;
}
