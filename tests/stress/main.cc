#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "tests/stress/stress_service.h"
#include "tests/support/process.h"
#include "tests/support/system.h"

namespace {

// Serves at `endpoint` until it is killed; the number of each call goes to a file first.
int Serve(const char* endpoint, const char* record) {
  lwmsg::test::DieWithParent();
  const lwmsg::OsHandle file = lwmsg::test::OpenToAppend(record);
  lwmsg::test::StressService service([&file](uint64_t id) {
    const std::string_view bytes(reinterpret_cast<const char*>(&id), sizeof(id));
    if (!lwmsg::test::WriteAll(file, bytes)) std::_Exit(1);
  });
  lwmsg::Loop loop;
  lwmsg::Server server(loop);
  lwmsg::Status status = server.Serve(service);
  if (status.ok()) status = server.Listen(endpoint);
  std::printf("%s\n", status.ok() ? "ready" : status.ToString().c_str());
  std::fflush(stdout);
  loop.Run();
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 4 && argv[1] == std::string_view("--role=serve")) return Serve(argv[2], argv[3]);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
