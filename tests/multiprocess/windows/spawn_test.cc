#include <windows.h>

#include <algorithm>

#include "runtime/windows/pipe_name.h"
#include "runtime/windows/wide_text.h"
#include "tests/multiprocess/fixture.h"
#include "tests/support/windows/handle_table.h"

// Children that inherit one end of a pair, and no other handle but those of their standard streams.
namespace lwmsg::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kVariable = "LWMSG_PAIR_HANDLE";

bool IsSet(const char* variable) {
  SetLastError(ERROR_SUCCESS);
  return GetEnvironmentVariableA(variable, nullptr, 0) != 0 ||
         GetLastError() != ERROR_ENVVAR_NOT_FOUND;
}

// The pipes that lwmsg made.
std::vector<std::string> PipesOf(uint32_t pid) {
  std::vector<std::string> names = NamesOfPipes(pid);
  std::erase_if(names, [](const std::string& name) { return !name.starts_with("\\lwmsg-"); });
  return names;
}

TEST_F(SpawnTest, ChildInheritsNoPipeButItsPair) {
  Loop loop;
  SampleService service;
  Server server(loop);
  ASSERT_TRUE(server.Serve(service).ok());
  ASSERT_TRUE(server.Listen(folder_.Endpoint()).ok());
  auto unrelated = MakePair();
  ASSERT_TRUE(unrelated);
  // Meant for others.
  MakeInherited(unrelated->first);
  auto child = SpawnWithPair({OwnPath(), "--role=serve-pair"});
  ASSERT_TRUE(child) << child.error();
  const Reaper reaper(child->pid);
  const std::string pair = internal::ToUtf8(internal::NameOfPipe(child->channel));
  Client client(loop, std::move(child->channel));
  bool answered = false;
  sample::SampleClient(client).Nothing().Send([&](auto reply) { answered = reply.has_value(); });
  ASSERT_TRUE(RunLoopUntil(loop, [&] { return answered; }));
  EXPECT_EQ(PipesOf(child->pid), std::vector<std::string>{pair});
  const auto ours = PipesOf(OwnProcessId());
  EXPECT_GE(ours.size(), 4U);
  EXPECT_EQ(std::count(ours.begin(), ours.end(), pair), 1);
}

TEST_F(SpawnTest, ChildInheritsNoHandleOfAnyKindThatIsMeantForOthers) {
  const OsHandle event(CreateEventW(nullptr, TRUE, FALSE, nullptr));
  const OsHandle section(
      CreateFileMappingW(INVALID_HANDLE_VALUE, nullptr, PAGE_READWRITE, 0, 4096, nullptr));
  const OsPipe pipe = MakeOsPipe();
  for (const OsHandle* handle : {&event, &section, &pipe.reader, &pipe.writer}) {
    MakeInherited(*handle);
  }
  auto child = SpawnWithPair({OwnPath(), "--role=serve-pair"});
  ASSERT_TRUE(child) << child.error();
  const Reaper reaper(child->pid);
  BlockingClient client(std::move(child->channel));
  ASSERT_TRUE(sample::SampleClient(client).Nothing().Sync());
  for (const OsHandle* handle : {&event, &section, &pipe.reader, &pipe.writer}) {
    EXPECT_EQ(CountHandlesOf(child->pid, *handle), 0U);
    EXPECT_EQ(CountHandlesOf(OwnProcessId(), *handle), 1U);
  }
}

TEST_F(SpawnTest, PairIsTakenOnceAndNotInheritedFurther) {
  Process spawner("spawn", {"child=take-twice"});
  EXPECT_THAT(spawner.ReadLine(), StartsWith("took 1 of \\lwmsg-pair-"));
  EXPECT_THAT(spawner.ReadLine(), AllOf(StartsWith("failed precondition: "), HasSubstr(kVariable)));
  EXPECT_EQ(spawner.ReadLine(), "grandchild has 0 of the pair, 1 of the other");
  EXPECT_EQ(spawner.ReadLine(), "grandchild variable unset");
  EXPECT_EQ(spawner.ReadLine(), "child ended");
  EXPECT_EQ(spawner.Wait(), 0);
}

TEST_F(SpawnTest, VariableThatNamesNoPipeIsReported) {
  const OsHandle event(CreateEventW(nullptr, TRUE, FALSE, nullptr));
  const OsHandle file = OpenNull();
  // Pseudo handles and the numbers of the standard streams as well, in either form.
  for (const std::string& value :
       {std::string("x"), std::string("-1"), std::string("0"), std::string("99999"),
        std::string("7x"), std::string("0x40"), std::string("99999999999999999999"),
        std::string(100, '9'), std::string("18446744073709551615"), std::string("4294967295"),
        std::string("18446744073709551606"), std::string("4294967286"), NumberOf(event),
        NumberOf(file)}) {
    ASSERT_TRUE(SetEnvironmentVariableA(kVariable, value.c_str()));
    auto pair = TakeInheritedPair();
    ASSERT_FALSE(pair) << value;
    EXPECT_EQ(pair.error().code(), StatusCode::kFailedPrecondition);
    EXPECT_THAT(pair.error().message(),
                AllOf(HasSubstr(kVariable), HasSubstr("names no open pipe")))
        << value;
    EXPECT_FALSE(IsSet(kVariable)) << value;
  }
  EXPECT_TRUE(IsOpen(event.get()) && IsOpen(file.get()));
}

// Windows tells an empty variable from none, if asked in the right way.
TEST_F(SpawnTest, EmptyVariableIsNone) {
  ASSERT_TRUE(SetEnvironmentVariableA(kVariable, ""));
  auto pair = TakeInheritedPair();
  ASSERT_FALSE(pair);
  EXPECT_EQ(pair.error().code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(pair.error().message(), AllOf(HasSubstr(kVariable), HasSubstr("is not set")));
  SetEnvironmentVariableA(kVariable, nullptr);
}

}  // namespace
}  // namespace lwmsg::test
