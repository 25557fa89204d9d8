#include <calculator.lwmsg.h>

#include <iostream>

#include "system.h"

class Desk final : public CalculatorService {
  void Tape(TapeCall call) override {
    if (!IsOwnUser(call.peer()))
      return call.Fail(lwmsg::StatusCode::kPermissionDenied, "the tape is for my own user only");
    call.results().setTape(OpenToRead("tape"));
    call.Reply();
  }
};

int main(int argc, char** argv) {
  Desk desk;
  lwmsg::Loop loop;
  lwmsg::Server server(loop);
  lwmsg::Status status = server.Serve(desk);
  if (status.ok()) status = server.Listen(argc > 1 ? argv[1] : "", {.mode = 0666});
  std::cout << "listening: " << status << std::endl;
  loop.Run();
  return status.ok() ? 0 : 1;
}
