// Two associations, each with user code that does what the input says. Both see the same: calls
// come in order, each ends once, and well only if it was answered well.
#include "lwmsg/fuzz/manual_executor.h"
#include "tests/fuzz/scripted_side.h"
#include "tests/fuzz/target.h"
#include "tests/support/memory_transport.h"

namespace lwmsg::test {
namespace {

void Compare(const ScriptedSide& caller, const ScriptedSide& callee) {
  Require(callee.in_order(), "calls come in the order in which they were sent");
  for (const auto& started : caller.started()) {
    Require(started->ends == 1, "each call ends");
    if (!started->good || !started->tagged) continue;
    const auto served = callee.served().find(started->tag);
    Require(served != callee.served().end() && served->second.answered,
            "a call ends well if it was answered well");
    Require(!started->stream || started->items == served->second.items, "no item is lost");
  }
}

void Run(Input& input) {
  fuzz::ManualExecutor executor;
  auto [left_end, right_end] = MemoryTransport::MakePair(executor);
  MemoryTransport* left_wire = left_end.get();
  auto environment = std::make_shared<Association::Environment>();
  // Low, so that they are met.
  environment->limits.max_calls = 1 + input.Byte() % 64;
  environment->limits.max_objects = 4;
  ScriptedSide left({&sample::kListenerProtocol}, {&sample::kSampleProtocol});
  ScriptedSide right({&sample::kSampleProtocol}, {&sample::kListenerProtocol});
  {
    Association a(
        executor, std::move(left_end), left.services(),
        {.environment = environment, .connecting = std::make_unique<Association::Connecting>()});
    Association b(executor, std::move(right_end), right.services(), {.environment = environment});
    left.Use(&a, true);
    right.Use(&b);
    a.Start();
    b.Start();
    left.Read(&input);
    right.Read(&input);
    for (int step = 0; step < 200 && !input.empty(); ++step) {
      const size_t choice = input.Below(8);
      if (choice == 0) {
        executor.Advance(std::chrono::milliseconds(16 * input.Byte()));
      } else if (choice == 1 && input.OneIn(16)) {
        left_wire->Break(Status(StatusCode::kUnavailable, "the wire broke"));
      } else {
        (choice < 5 ? left : right).Step(input);
      }
      if (!input.OneIn(4)) executor.Run();
    }
    left.Read(nullptr);
    right.Read(nullptr);
    if (input.Bool()) executor.Run();
    left.LetGo();
    right.LetGo();
    executor.Run();
    left.Use(nullptr);
    right.Use(nullptr);
  }
  executor.Run();
  Compare(left, right);
  Compare(right, left);
}

}  // namespace
}  // namespace lwmsg::test

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const lwmsg::test::SameHandles same;
  lwmsg::test::Input input({data, size});
  lwmsg::test::Run(input);
  return 0;
}
