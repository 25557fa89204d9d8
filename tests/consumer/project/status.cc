#include <lwmsg/lwmsg.h>

#include <iostream>

// Built with nothing but what pkg-config says.
int main() {
  lwmsg::BlockingClient nowhere("unix:/nonexistent/socket");
  std::cout << lwmsg::Status() << '\n';
}
