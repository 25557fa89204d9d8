#include "lwmsg/fuzz/service.h"

#include "lwmsg/association.h"
#include "lwmsg/fuzz/finding.h"
#include "lwmsg/fuzz/handles.h"
#include "lwmsg/fuzz/manual_executor.h"
#include "lwmsg/fuzz/scripted_peer.h"

namespace lwmsg::fuzz {
namespace {

// A longer script says nothing new.
constexpr int kMaxSteps = 200;

}  // namespace

void TestService(Service& service, std::span<const uint8_t> bytes) {
  Input input(bytes);
  ManualExecutor executor;
  ServiceTable services;
  Require(services.Add(service).ok(), "the service can be served");
  ScriptedPeer peer(executor);
  for (const auto& entry : services.entries()) peer.Know(entry.protocol->schema());
  {
    Association association(executor, peer.MakeTransport(), services, {});
    association.Start();
    peer.Greet(input);
    for (int step = 0; step < kMaxSteps && !input.empty(); ++step) {
      peer.Step(input);
      executor.Run();
      if (input.OneIn(16)) executor.Advance(std::chrono::milliseconds(64 * input.Byte()));
    }
  }
  executor.Run();
}

void TestMadeService(std::span<const uint8_t> bytes) {
  const auto before = OpenNumbers();
  {
    const auto service = MakeService();
    TestService(*service, bytes);
  }
  Require(OpenNumbers() == before, "a run leaves the open files that it found");
}

}  // namespace lwmsg::fuzz
