#include <lwmsg/simulation.h>

#include <iostream>

#include "hello.lwmsg.h"

class Greeter final : public HelloService {
  void Greet(GreetCall call) override {
    call.results().setText("hello");
    call.Reply();
  }
};

// The component `simulation`: a few seeds of one call.
int main() {
  lwmsg::Status status = lwmsg::Simulate(5, [](lwmsg::Simulation& simulation) {
    Greeter greeter;
    lwmsg::SimulatedServer server(simulation);
    simulation.Expect(server.Serve(greeter).ok(), "it can be served");
    lwmsg::SimulatedClient client(simulation, server);
    HelloClient(client).Greet().Send(
        [&](auto reply) { simulation.Expect(reply.has_value(), "an answer"); });
    simulation.Finish();
  });
  std::cout << status << '\n';
  return status.ok() ? 0 : 1;
}
