#include <lwmsg/lwmsg.h>

#include <iostream>
#include <string>

#include "hello.lwmsg.h"
#include "null_file.h"

class Greeter final : public HelloService {
  void Greet(GreetCall call) override {
    call.results().setText(std::string("hello ") + call->getName().cStr());
    call.results().setFile(NullFile());
    call.Reply();
  }
};

// A server and a client in one process, on one loop. Fails unless the greeting and the file come.
int main() {
  lwmsg::Loop loop;
  Greeter greeter;
  lwmsg::Server server(loop);
  if (!server.Serve(greeter).ok() || !server.Listen("direct:greeter").ok()) return 1;
  lwmsg::Client client(loop, "direct:greeter");
  auto greet = HelloClient(client).Greet();
  greet->setName("world");
  bool good = false;
  greet.Send([&](auto reply) {
    good = reply && reply->getText() == "hello world" && reply->takeFile();
    std::cout << (reply ? reply->getText().cStr() : reply.error().ToString()) << '\n';
    loop.Stop();
  });
  loop.Run();
  return good ? 0 : 1;
}
