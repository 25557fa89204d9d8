#include "tests/core/harness.h"

#include "lwmsg/internal/message_state.h"

namespace lwmsg::test {

void AssociationTest::Open(const Limits& client, const Limits& server) {
  auto [client_end, server_end] = MemoryTransport::MakePair(executor_);
  ASSERT_TRUE(server_.services.Add(sample_).ok());
  ASSERT_TRUE(client_.services.Add(listener_).ok());
  auto environment = std::make_shared<Association::Environment>();
  environment->limits = server;
  if (acceptor_config) acceptor_config(*environment);
  OpenSide(server_, std::move(server_end), {.environment = environment});
  environment = std::make_shared<Association::Environment>();
  environment->limits = client;
  auto connecting = std::make_unique<Association::Connecting>();
  if (connector_config) connector_config(*environment, *connecting);
  OpenSide(client_, std::move(client_end),
           {.environment = environment, .connecting = std::move(connecting)});
}

void AssociationTest::OpenSide(Side& side, std::unique_ptr<MemoryTransport> transport,
                               Association::Config config) {
  side.transport = transport.get();
  config.on_end = [&side](const Status& reason) { side.end = reason; };
  side.association = std::make_unique<Association>(executor_, std::move(transport), side.services,
                                                   std::move(config));
  side.association->Start();
}

Status AssociationTest::Echo() {
  auto echo = Client().Echo();
  echo->setText("hello");
  auto reply = CallNow(std::move(echo));
  if (!reply) return Status(StatusCode::kInternal, "no answer");
  if (!*reply) return reply->error();
  EXPECT_EQ((*reply)->getText(), "hello");
  return Status();
}

Frame AssociationTest::CallFrame(uint32_t id, uint64_t interface_id, uint16_t method) {
  OutgoingMessage message = OutgoingMessage::ForCall(interface_id, method);
  message.state().envelope.getCall().setId(id);
  return ToFrame(std::move(message));
}

}  // namespace lwmsg::test
