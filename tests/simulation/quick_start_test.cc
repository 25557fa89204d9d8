// The example of README.md, as it stands there.
#include <gtest/gtest.h>
#include <lwmsg/simulation.h>

#include "subject.lwmsg.h"

namespace {

class Listener final : public subject::ListenerService {
  void Notify(NotifyCall call) override {
    call.results().setRound(call->getRound());
    call.Reply();
  }
};

TEST(Listener, AnswersWithTheRoundWhateverIsLost) {
  lwmsg::Status status = lwmsg::Simulate(100, [](lwmsg::Simulation& simulation) {
    Listener listener;
    lwmsg::SimulatedServer server(simulation);
    simulation.Expect(server.Serve(listener).ok(), "it can be served");
    lwmsg::SimulatedClient client(simulation, server, {.reconnect = lwmsg::Reconnect::kOnNextCall});
    for (uint32_t round = 0; round < 10; ++round) {
      simulation.Soon([&simulation, &client, round] {
        auto notify = subject::ListenerClient(client).Notify();
        notify->setRound(round);
        notify.Send([&simulation, round](auto reply) {
          if (reply) simulation.Expect(reply->getRound() == round, "the reply is that of its call");
        });
      });
    }
    simulation.OnStep([&] {
      if (simulation.OneIn(100)) client.Lose();
    });
    simulation.Finish();
  });
  EXPECT_TRUE(status.ok()) << status;
}

}  // namespace
