#include <calculator.lwmsg.h>
#include <fcntl.h>
#include <lwmsg/lwmsg.h>
#include <stdio.h>
#include <unistd.h>

class Desk final : public CalculatorService {
  void Tape(TapeCall call) override {
    if (call.peer().euid() != geteuid())
      return call.Fail(lwmsg::StatusCode::kPermissionDenied, "the tape is for my own user only");
    call.results().setTape(lwmsg::OsHandle(open("tape", O_RDONLY | O_CLOEXEC)));
    call.Reply();
  }
};

int main() {
  Desk desk;
  lwmsg::Loop loop;
  lwmsg::Server server(loop);
  lwmsg::Status status = server.Serve(desk);
  if (status.ok()) status = server.Listen("unix:calculator.sock", {.mode = 0666});
  dprintf(STDOUT_FILENO, "listening: %s\n", status.ToString().c_str());
  loop.Run();
  return status.ok() ? 0 : 1;
}
