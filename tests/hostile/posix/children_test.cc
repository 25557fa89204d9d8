#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <set>
#include <string>
#include <thread>

#include "tests/hostile/fixture.h"

// Programs that are started while descriptors arrive (T31).
namespace lwmsg::test {
namespace {

// The numbers that a program which this process starts finds open: a line for each.
std::string OpenInAChild() {
  OsPipe output = MakeOsPipe();
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, output.writer.get(), STDOUT_FILENO);
  std::array<char*, 3> arguments = {const_cast<char*>("ls"), const_cast<char*>("/proc/self/fd")};
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, "ls", &files, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  if (error != 0) return "no child";
  output.writer.Close();
  std::string numbers = ReadAll(output.reader);
  waitpid(pid, nullptr, 0);
  return numbers;
}

class ChildrenTest : public HostilePeerTest {
 protected:
  // So many descriptors go to the server in one message, and come back.
  void PassSome(Client& client) {
    auto collect = sample::SampleClient(client).Collect();
    for (auto item : collect->initItems(Limits().max_frame_handles)) {
      collect.Put(item.getFile(), OpenNull());
    }
    std::optional<size_t> came_back;
    collect.Send([&](auto reply) { came_back = reply ? reply->getItems().size() : 0; });
    RunUntil([&] { return came_back.has_value(); });
    EXPECT_EQ(came_back, Limits().max_frame_handles);
  }
};

// Close-on-exec from the moment they are there: that they become so a little later is too late.
TEST_F(ChildrenTest, T31_NoneHasADescriptorThatArrivesMeanwhile) {
  Serve();
  const std::string usual = OpenInAChild();
  ASSERT_THAT(usual, testing::HasSubstr("1\n"));
  std::set<std::string> others;
  std::atomic<bool> over = false;
  std::thread spawns([&] {
    for (int i = 0; i < 300; ++i) {
      if (std::string numbers = OpenInAChild(); numbers != usual) others.insert(numbers);
    }
    over = true;
  });
  while (!over && !HasFailure()) {
    Client client(loop_, folder_.Endpoint());
    for (int i = 0; i < 20; ++i) PassSome(client);
  }
  spawns.join();
  EXPECT_THAT(others, testing::IsEmpty()) << "beside " << usual;
}

}  // namespace
}  // namespace lwmsg::test
