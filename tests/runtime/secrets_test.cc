// A secret does not stay behind in memory that held a message.
#include <gtest/gtest.h>

#include <cstring>
#include <thread>

#include "fields.lwmsg.h"
#include "lwmsg/internal/message_state.h"
#include "lwmsg/internal/payload_type.h"
#include "lwmsg/lwmsg.h"
#include "runtime/frame_reader.h"
#include "tests/runtime/freed_memory.h"
#include "tests/support/inventory.h"
#include "tests/support/memory_transport.h"
#include "tests/support/sample_service.h"
#include "tests/support/system.h"

namespace lwmsg::test {
namespace {

using fields::Screen;
using internal::PayloadTypeOf;

// On no heap.
constexpr char kSecret[] = "correct horse battery staple 4711";

// A text of `size` bytes that ends with the secret.
void PutSecret(capnp::Text::Builder text) {
  std::memset(text.begin(), 'x', text.size());
  std::memcpy(text.end() - sizeof(kSecret) + 1, kSecret, sizeof(kSecret) - 1);
}

bool HasSecret(kj::StringPtr text) { return std::strstr(text.cStr(), kSecret) != nullptr; }

// Sizes that fit the first segment of a message, take a second one, and are received in pieces.
constexpr size_t kSizes[] = {100, 5'000, 300'000};

class SecretsTest : public InventoriedTest {
 protected:
  // Fills, sends, checks and reads a message; both its ends are gone afterwards.
  template <typename T>
  static void RoundTrip(const std::function<capnp::Text::Builder(typename T::Builder)>& field) {
    OutgoingMessage message = OutgoingMessage::ForCall(1, 0);
    PutSecret(field(message.payload().initAs<T>()));
    ASSERT_EQ(message.CheckPayload(PayloadTypeOf<T>()), Status());
    // As ToFrame, which would leave copies of its own.
    const auto pieces = message.Pieces();
    size_t bytes = 0;
    for (auto piece : pieces.slice(1, pieces.size())) bytes += piece.size();
    const auto table = pieces[0].slice(internal::kFrameHeaderBytes, pieces[0].size());
    Frame frame{kj::heapArray<capnp::word>((bytes + table.size()) / sizeof(capnp::word)), {}};
    kj::byte* to = frame.words.asBytes().begin();
    std::memcpy(to, table.begin(), table.size());
    to += table.size();
    for (auto piece : pieces.slice(1, pieces.size())) {
      std::memcpy(to, piece.begin(), piece.size());
      to += piece.size();
    }
    auto received = IncomingMessage::Parse(std::move(frame), {});
    ASSERT_TRUE(received) << received.error();
    ASSERT_EQ(received->CheckPayload(PayloadTypeOf<T>()), Status());
  }
};

TEST_F(SecretsTest, AMessageThatCanHoldOneIsWipedWhenItGoes) {
  for (const size_t size : kSizes) {
    const FreedMemory freed(kSecret);
    RoundTrip<Screen::LoginParams>(
        [&](auto params) { return params.initLogin().initPassword(size); });
    EXPECT_EQ(freed.leaks(), 0U) << size;
  }
}

TEST_F(SecretsTest, AMessageThatCannotIsNot) {
  // Which also shows that this test sees what stays behind.
  for (const size_t size : kSizes) {
    const FreedMemory freed(kSecret);
    RoundTrip<Screen::PlainParams>([&](auto params) { return params.initText(size); });
    EXPECT_GT(freed.leaks(), 0U) << size;
  }
}

TEST_F(SecretsTest, ARequestThatIsNeverSentIsWiped) {
  for (const size_t size : kSizes) {
    const FreedMemory freed(kSecret);
    {
      OutgoingMessage message = OutgoingMessage::ForCall(1, 0);
      PutSecret(message.payload().initAs<Screen::LoginParams>().initLogin().initPassword(size));
    }
    EXPECT_EQ(freed.leaks(), 0U) << size;
  }
}

TEST_F(SecretsTest, MemoryThatAMessageRefersToIsLeftAlone) {
  alignas(8) static std::array<capnp::byte, 64> own;
  own.fill(7);
  {
    OutgoingMessage message = OutgoingMessage::ForCall(1, 1);
    auto results = message.payload().initAs<Screen::LoginResults>();
    auto orphanage = capnp::Orphanage::getForMessageContaining(results);
    results.adoptToken(orphanage.referenceExternalData(kj::arrayPtr(own.data(), own.size())));
    ASSERT_EQ(message.CheckPayload(PayloadTypeOf<Screen::LoginResults>()), Status());
  }
  EXPECT_EQ(own[63], 7);
}

TEST_F(SecretsTest, HalfAFrameIsWipedWhenTheConnectionEnds) {
  const FreedMemory freed(kSecret);
  {
    internal::FrameReader reader{Limits()};
    std::array<std::byte, 200> input{};
    std::memcpy(input.data(), internal::kFrameMagic.data(), internal::kFrameMagic.size());
    input[4] = std::byte{100};  // Words.
    std::memcpy(input.data() + 100, kSecret, sizeof(kSecret));
    reader.Add(reader.SpaceFor(input), input.size(), {});
    auto frame = reader.Next();
    ASSERT_TRUE(frame && !*frame);
    // Nor is it left in the buffer that the loop reads to.
    const std::string_view left(reinterpret_cast<const char*>(input.data()), input.size());
    EXPECT_EQ(left.find(kSecret), std::string_view::npos);
  }
  EXPECT_EQ(freed.leaks(), 0U);
}

class ScreenService final : public fields::ScreenService {
 public:
  void Resize(ResizeCall call) override { call.Reply(); }
  void Plain(PlainCall call) override { call.Reply(); }
  void Login(LoginCall call) override {
    const auto password = call.params().getLogin().getPassword();
    knew_ = HasSecret(password);
    auto token = call.results().initToken(password.size());
    std::memcpy(token.begin(), password.begin(), token.size());
    call.Reply();
  }

  bool knew() const { return knew_; }

 private:
  bool knew_ = false;
};

TEST_F(SecretsTest, NothingStaysBehindOfACallOverASocket) {
  for (const size_t size : kSizes) {
    const FreedMemory freed(kSecret);
    {
      auto ends = MakePairHere();
      ASSERT_TRUE(ends) << ends.error();
      ScreenService service;
      Loop loop;
      Server server(loop);
      ASSERT_TRUE(server.Serve(service).ok());
      ASSERT_TRUE(server.Adopt(std::move(ends->first)).ok());
      Client client(loop, std::move(ends->second));
      auto login = fields::ScreenClient(client).Login();
      PutSecret(login->initLogin().initPassword(size));
      bool same = false;
      bool done = false;
      login.Send([&](auto reply) {
        done = true;
        same = reply && reply->getToken().size() == size;
      });
      ASSERT_TRUE(RunLoopUntil(loop, [&] { return done; }));
      EXPECT_TRUE(same);
      EXPECT_TRUE(service.knew());
    }
    EXPECT_EQ(freed.leaks(), 0U) << size;
  }
}

}  // namespace
}  // namespace lwmsg::test
