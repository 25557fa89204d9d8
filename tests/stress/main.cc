#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstring>

#include "tests/stress/stress_service.h"

namespace {

// Serves at `endpoint` until it is killed; the number of each call goes to a file first.
int Serve(const char* endpoint, const char* record) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // Outlives no test that was killed.
  const lwmsg::OsHandle file(open(record, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  lwmsg::test::StressService service([&file](uint64_t id) {
    if (write(file.get(), &id, sizeof(id)) != sizeof(id)) _exit(1);
  });
  lwmsg::Loop loop;
  lwmsg::Server server(loop);
  lwmsg::Status status = server.Serve(service);
  if (status.ok()) status = server.Listen(endpoint);
  dprintf(STDOUT_FILENO, "%s\n", status.ok() ? "ready" : status.ToString().c_str());
  loop.Run();
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 4 && std::strcmp(argv[1], "--role=serve") == 0) return Serve(argv[2], argv[3]);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
