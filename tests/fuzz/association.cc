// One association between user code and a peer that both do what the input says: real OS handles,
// broken frames, every kind of frame at every time.
#include "lwmsg/association.h"

#include "lwmsg/fuzz/manual_executor.h"
#include "lwmsg/fuzz/scripted_peer.h"
#include "tests/fuzz/scripted_side.h"
#include "tests/fuzz/target.h"

namespace lwmsg::test {
namespace {

Limits LowLimits(Input& input) {
  Limits limits;
  limits.max_calls = 8;
  limits.max_oneway_calls = 4;
  limits.max_bad_calls = 20;
  limits.max_objects = 4;
  limits.max_frame_handles = 4;
  limits.max_shared_bytes = 64 << 10;
  limits.max_queued_messages = 1000;
  if (input.Bool()) limits.max_nesting = 8;
  return limits;
}

void Script(Input& input, fuzz::ManualExecutor& executor, fuzz::ScriptedPeer& peer,
            ScriptedSide& side) {
  if (!input.OneIn(16)) peer.Greet(input);
  for (int step = 0; step < 200 && !input.empty(); ++step) {
    const size_t choice = input.Below(8);
    if (choice == 0) {
      executor.Advance(std::chrono::milliseconds(64 * input.Byte()));
    } else if (choice == 1 && input.OneIn(16)) {
      peer.Greet(input);
    } else if (choice < 5) {
      peer.Step(input);
    } else {
      side.Step(input);
    }
    if (!input.OneIn(4)) executor.Run();
  }
}

void Run(Input& input) {
  fuzz::ManualExecutor executor;
  fuzz::ScriptedPeer peer(executor);
  ScriptedSide side({&sample::kSampleProtocol, &sample::kListenerProtocol},
                    {&sample::kSampleProtocol, &sample::kListenerProtocol});
  for (const auto& entry : side.services().entries()) peer.Know(entry.protocol->schema());
  auto environment = std::make_shared<Association::Environment>();
  environment->limits = LowLimits(input);
  Association::Config config{.environment = environment};
  const bool connects = input.Bool();
  if (connects) config.connecting = std::make_unique<Association::Connecting>();
  int ends = 0;
  config.on_end = [&ends](const Status&) { ++ends; };
  {
    Association association(executor, peer.MakeTransport(), side.services(), std::move(config));
    side.Use(&association, connects);
    side.Read(&input);
    association.Start();
    Script(input, executor, peer, side);
    side.Read(nullptr);
    executor.Run();
    side.LetGo();
    executor.Run();
    static_cast<void>(association.Describe());
    Require(ends == (association.state() == Association::State::kClosed ? 1 : 0),
            "an association ends once");
    side.Use(nullptr);
  }
  executor.Run();
  for (const auto& started : side.started()) Require(started->ends == 1, "each call ends");
}

}  // namespace
}  // namespace lwmsg::test

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const lwmsg::test::SameHandles same;
  lwmsg::test::Input input({data, size});
  lwmsg::test::Run(input);
  return 0;
}
