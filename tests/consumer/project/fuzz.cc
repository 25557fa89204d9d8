#include <lwmsg/fuzz/service.h>
#include <lwmsg/lwmsg.h>

#include "hello.lwmsg.h"

class Greeter final : public HelloService {
  void Greet(GreetCall call) override {
    call.results().setText(call->getName());
    call.Reply();
  }
};

std::unique_ptr<lwmsg::Service> lwmsg::fuzz::MakeService() { return std::make_unique<Greeter>(); }
