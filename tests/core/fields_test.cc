// What the annotations of schema/lwmsg.capnp demand of a field, on both sides.
#include <gmock/gmock.h>

#include <functional>

#include "fields.capnp.h"
#include "lwmsg/internal/message_state.h"
#include "lwmsg/internal/payload_type.h"
#include "tests/support/inventory.h"
#include "tests/support/memory_transport.h"
#include "tests/support/sample_service.h"

namespace lwmsg::test {
namespace {

using internal::PayloadTypeOf;
using ::testing::HasSubstr;
using ::testing::Not;

class FieldsTest : public InventoriedTest {
 protected:
  // What both sides say to a payload that `fill` makes: "" if it is good, else the text. They must
  // say the same, each with its own code.
  template <typename T>
  static std::string Verdict(const std::function<void(typename T::Builder)>& fill) {
    OutgoingMessage message = OutgoingMessage::ForCall(1, 0);
    fill(message.payload().initAs<T>());
    return VerdictOf<T>(std::move(message));
  }
  template <typename T>
  static std::string VerdictOf(OutgoingMessage message) {
    const Status sent = message.CheckPayload(PayloadTypeOf<T>());
    auto received = IncomingMessage::Parse(ToFrame(std::move(message)), {});
    if (!received) return received.error().message();
    const Status taken = received->CheckPayload(PayloadTypeOf<T>());
    EXPECT_EQ(sent.message(), taken.message());
    EXPECT_EQ(sent.code(), sent.ok() ? StatusCode::kOk : StatusCode::kInvalidArgument);
    EXPECT_EQ(taken.code(), taken.ok() ? StatusCode::kOk : StatusCode::kMalformed);
    return taken.message();
  }
};

TEST_F(FieldsTest, IntegersInRangePass) {
  using fields::Integers;
  EXPECT_EQ(Verdict<Integers>([](Integers::Builder) {}), "");
  EXPECT_EQ(Verdict<Integers>([](Integers::Builder b) {
              b.setU8(5);
              b.setI8(-100);
              b.setU16(4096);
              b.setI16(-1);
              b.setU32(4096);
              b.setI32(-5);
              b.setU64(9);
              b.setI64(INT64_MAX);
              b.setOpen(3);
            }),
            "");
  EXPECT_EQ(Verdict<Integers>([](Integers::Builder b) {
              b.setU8(200);
              b.setI8(100);
              b.setI16(INT16_MIN);
              b.setU32(1);
              b.setI32(INT32_MAX);
              b.setI64(-INT64_MAX);
              b.setOpen(UINT64_MAX);
            }),
            "");
}

TEST_F(FieldsTest, IntegersOutOfRangeAreNamedWithTheirLimits) {
  using B = fields::Integers::Builder;
  auto verdict = [](const std::function<void(B)>& fill) { return Verdict<fields::Integers>(fill); };
  EXPECT_EQ(verdict([](B b) { b.setU8(4); }), "u8: 4 is outside 5 to 200");
  EXPECT_EQ(verdict([](B b) { b.setU8(201); }), "u8: 201 is outside 5 to 200");
  EXPECT_EQ(verdict([](B b) { b.setI8(-101); }), "i8: -101 is outside -100 to 100");
  EXPECT_EQ(verdict([](B b) { b.setU16(4097); }), "u16: 4097 is above 4096");
  EXPECT_EQ(verdict([](B b) { b.setI16(0); }), "i16: 0 is above -1");
  EXPECT_EQ(verdict([](B b) { b.setU32(0); }), "u32: 0 is outside 1 to 4096");
  EXPECT_EQ(verdict([](B b) { b.setU32(70000); }), "u32: 70000 is outside 1 to 4096");
  EXPECT_EQ(verdict([](B b) { b.setI32(-6); }), "i32: -6 is below -5");
  EXPECT_EQ(verdict([](B b) { b.setU64(UINT64_MAX); }), "u64: 18446744073709551615 is above 9");
  EXPECT_EQ(verdict([](B b) { b.setI64(INT64_MIN); }),
            "i64: -9223372036854775808 is below -9223372036854775807");
  EXPECT_EQ(verdict([](B b) { b.setOpen(2); }), "open: 2 is below 3");
}

TEST_F(FieldsTest, OnlyTheNamedBitsMayBeSet) {
  using B = fields::Integers::Builder;
  auto verdict = [](const std::function<void(B)>& fill) { return Verdict<fields::Integers>(fill); };
  EXPECT_EQ(verdict([](B b) { b.setFlags(0); }), "");
  EXPECT_EQ(verdict([](B b) { b.setFlags(0x8031); }), "");
  EXPECT_EQ(verdict([](B b) { b.setFlags(0x8033); }), "flags: 0x8033 has bits besides 0x8031");
}

TEST_F(FieldsTest, EnumsMustBeKnownWhereTheSchemaSaysSo) {
  using B = fields::Integers::Builder;
  auto verdict = [](const std::function<void(B)>& fill) { return Verdict<fields::Integers>(fill); };
  EXPECT_EQ(verdict([](B b) { b.setColor(fields::Color::RED); }), "");
  EXPECT_EQ(verdict([](B b) { b.setColor(static_cast<fields::Color>(3)); }),
            "color: 3 is no Color of this side's schema, which has 0 to 2");
  EXPECT_EQ(verdict([](B b) { b.setAnything(static_cast<fields::Color>(99)); }), "");
}

TEST_F(FieldsTest, EachIntegerOfAListIsChecked) {
  using B = fields::Lists::Builder;
  auto verdict = [](const std::function<void(B)>& fill) {
    return Verdict<fields::Lists>([&](B b) {
      b.initSome(1);
      fill(b);
    });
  };
  EXPECT_EQ(verdict([](B b) { b.setBytes({0, 9, 3}); }), "");
  EXPECT_EQ(verdict([](B b) { b.setBytes({0, 9, 10}); }), "bytes[2]: 10 is above 9");
  EXPECT_EQ(verdict([](B b) { b.setTiny({-4}); }), "tiny[0]: -4 is outside -3 to 3");
  EXPECT_EQ(verdict([](B b) { b.setShorts({-3, 3, -4}); }), "shorts[2]: -4 is outside -3 to 3");
  EXPECT_EQ(verdict([](B b) { b.setWords({-3, 4}); }), "words[1]: 4 is outside -3 to 3");
  EXPECT_EQ(verdict([](B b) { b.setWide({-4}); }), "wide[0]: -4 is outside -3 to 3");
  EXPECT_EQ(verdict([](B b) { b.setHalf({10}); }), "half[0]: 10 is above 9");
  EXPECT_EQ(verdict([](B b) { b.setLongs({UINT64_MAX}); }),
            "longs[0]: 18446744073709551615 is above 9");
  EXPECT_EQ(verdict([](B b) { b.setFlags({3, 4}); }), "flags[1]: 0x4 has bits besides 0x3");
  EXPECT_EQ(verdict([](B b) { b.setColors({fields::Color::RED, static_cast<fields::Color>(9)}); }),
            "colors[1]: 9 is no Color of this side's schema, which has 0 to 2");
}

TEST_F(FieldsTest, LengthsAreOfBytesAndOfElements) {
  using T = fields::Texts::Builder;
  auto texts = [](const std::function<void(T)>& fill) { return Verdict<fields::Texts>(fill); };
  EXPECT_EQ(texts([](T) {}), "");
  EXPECT_EQ(texts([](T t) { t.setName("\xc3\xa4\xc3\xa4"); }), "");
  EXPECT_EQ(texts([](T t) { t.setName("\xc3\xa4\xc3\xa4."); }),
            "name: a length of 5 bytes is outside 0 to 4");
  EXPECT_EQ(texts([](T t) { t.setCode(""); }), "code: a length of 0 bytes is outside 2 to 4");
  EXPECT_EQ(texts([](T t) { t.initRaw(5); }), "raw: a length of 5 bytes is outside 0 to 4");
  EXPECT_EQ(texts([](T t) { t.initKey(1); }), "key: a length of 1 bytes is below 2");
  EXPECT_EQ(texts([](T t) { t.initItems(1); }), "items: a length of 1 elements is below 2");
  using L = fields::Lists::Builder;
  auto lists = [](const std::function<void(L)>& fill) { return Verdict<fields::Lists>(fill); };
  EXPECT_EQ(lists([](L) {}), "some: a length of 0 elements is below 1");
  EXPECT_EQ(lists([](L l) {
              l.initSome(1);
              l.initThree(4);
            }),
            "three: a length of 4 elements is outside 0 to 3");
}

void FillMusts(OutgoingMessage& message, fields::Musts::Builder musts) {
  musts.setText("");
  message.handles().Put(musts.initFile(), FileWith("x"));
  musts.initObject().setId(1);
  musts.initList(0);
  musts.getAny().initAs<fields::User>();
}

TEST_F(FieldsTest, RequiredFieldsMustBeThere) {
  auto verdict = [](const std::function<void(fields::Musts::Builder)>& change) {
    OutgoingMessage message = OutgoingMessage::ForCall(1, 0);
    auto musts = message.payload().initAs<fields::Musts>();
    FillMusts(message, musts);
    change(musts);
    return VerdictOf<fields::Musts>(std::move(message));
  };
  using B = fields::Musts::Builder;
  EXPECT_EQ(verdict([](B) {}), "");
  EXPECT_EQ(verdict([](B b) { b.disownText(); }), "text: absent, but it is required");
  EXPECT_EQ(verdict([](B b) { b.disownList(); }), "list: absent, but it is required");
  EXPECT_EQ(verdict([](B b) { b.getAny().clear(); }), "any: absent, but it is required");
  EXPECT_EQ(verdict([](B b) { b.disownFile(); }), "file: no OS handle, but it is required");
  EXPECT_EQ(verdict([](B b) { b.initFile(); }), "file: no OS handle, but it is required");
  EXPECT_EQ(verdict([](B b) { b.disownObject(); }), "object: names no object, but it is required");
  EXPECT_EQ(verdict([](B b) { b.initObject(); }), "object: names no object, but it is required");
  EXPECT_EQ(verdict([](B b) { b.initInner(); }), "inner.text: absent, but it is required");
  EXPECT_EQ(verdict([](B b) { b.getChoice().initLeft(); }), "");
  EXPECT_EQ(verdict([](B b) { b.getChoice().setRight("x"); }), "");
  EXPECT_EQ(verdict([](B b) {
              b.getChoice().initLeft();
              b.getChoice().disownLeft();
            }),
            "choice.left: absent, but it is required");
}

// What a handler reads of it later has no limit.
TEST_F(FieldsTest, AnyPointerHoldsNoMoreElementsThanTheLimitOfReading) {
  auto verdict = [](const std::function<void(capnp::AnyPointer::Builder)>& fill) {
    OutgoingMessage message = OutgoingMessage::ForCall(1, 0);
    auto musts = message.payload().initAs<fields::Musts>();
    FillMusts(message, musts);
    fill(musts.getAny());
    auto received = IncomingMessage::Parse(ToFrame(std::move(message)), {});
    return received->CheckPayload(PayloadTypeOf<fields::Musts>()).message();
  };
  using B = capnp::AnyPointer::Builder;
  EXPECT_EQ(verdict([](B b) { b.initAs<capnp::List<capnp::Void>>(1000); }), "");
  EXPECT_THAT(verdict([](B b) { b.initAs<capnp::List<capnp::Void>>(1U << 28); }),
              HasSubstr("any: "));
  EXPECT_THAT(verdict([](B b) { b.initAsListOfAnyStruct(0, 0, 1U << 28); }), HasSubstr("any: "));
  EXPECT_THAT(
      verdict([](B b) { b.initAs<capnp::List<capnp::List<capnp::Void>>>(2).init(1, 1U << 28); }),
      HasSubstr("any: "));
  EXPECT_THAT(
      verdict([](B b) {
        b.initAsListOfAnyStruct(0, 1, 2)[1].getPointerSection()[0].initAs<capnp::List<capnp::Void>>(
            1U << 28);
      }),
      HasSubstr("any: "));
}

TEST_F(FieldsTest, WhoseObjectIsChecked) {
  using B = fields::Owners::Builder;
  auto verdict = [](const std::function<void(B)>& fill) { return Verdict<fields::Owners>(fill); };
  auto name = [](schema::Handle<fields::File>::Builder handle, bool receivers) {
    handle.setId(1);
    handle.setReceivers(receivers);
  };
  EXPECT_EQ(verdict([&](B b) {
              name(b.initMine(), false);
              name(b.initYours(), true);
              name(b.initMany(2)[1], true);
              name(b.initEither(), true);
            }),
            "");
  EXPECT_EQ(verdict([&](B b) { name(b.initEither(), false); }), "");
  EXPECT_EQ(verdict([&](B b) { b.initYours(); }), "");
  EXPECT_THAT(verdict([&](B b) { name(b.initMine(), true); }),
              "mine: names an object of the message's receiver; one of its sender is demanded");
  EXPECT_THAT(verdict([&](B b) { name(b.initYours(), false); }),
              "yours: names an object of the message's sender; one of its receiver is demanded");
  EXPECT_THAT(verdict([&](B b) { name(b.initMany(2)[1], false); }),
              "many[1]: names an object of the message's sender; one of its receiver is demanded");
}

TEST_F(FieldsTest, RulesHoldAtEveryDepth) {
  using B = fields::Tree::Builder;
  auto verdict = [](const std::function<void(B)>& fill) { return Verdict<fields::Tree>(fill); };
  EXPECT_EQ(verdict([](B b) { b.initItems(4)[3].setWidth(70000); }),
            "items[3].width: 70000 is outside 1 to 4096");
  EXPECT_EQ(verdict([](B b) { b.initNext().initNext().initItems(1)[0].setWidth(0); }),
            "next.next.items[0].width: 0 is outside 1 to 4096");
  EXPECT_EQ(verdict([](B b) { b.initBoxed().initValue().setWidth(0); }),
            "boxed.value.width: 0 is outside 1 to 4096");
  EXPECT_EQ(verdict([](B b) { b.initLists(2).init(1, 3)[2].setWidth(0); }),
            "lists[1][2].width: 0 is outside 1 to 4096");
  EXPECT_EQ(verdict([](B b) { b.getBody().setWidth(70000); }), "body.width: 70000 is above 4096");
}

TEST_F(FieldsTest, OnlyTheActiveMemberOfAUnionIsChecked) {
  using B = fields::Tree::Builder;
  auto verdict = [](const std::function<void(B)>& fill) { return Verdict<fields::Tree>(fill); };
  EXPECT_EQ(verdict([](B b) { b.getChoice().setFirst(70000); }),
            "choice.first: 70000 is above 4096");
  EXPECT_EQ(verdict([](B b) { b.getChoice().setSecond(70000); }), "");
  EXPECT_EQ(verdict([](B b) { b.getChoice().initThird().setWidth(70000); }),
            "choice.third.width: 70000 is above 4096");
}

// A sender with an older or newer schema than this side's.
template <typename Sent, typename Taken>
Status AcrossVersions(const std::function<void(typename Sent::Builder)>& fill) {
  OutgoingMessage message = OutgoingMessage::ForCall(1, 0);
  fill(message.payload().initAs<Sent>());
  auto received = IncomingMessage::Parse(ToFrame(std::move(message)), {});
  return received ? received->CheckPayload(PayloadTypeOf<Taken>()) : received.error();
}

TEST_F(FieldsTest, FieldsThatAnOlderPeerDoesNotHaveCountAsTheirDefaults) {
  EXPECT_EQ((AcrossVersions<fields::OldOne, fields::NewOne>([](auto one) { one.setA(1); })),
            Status());
  EXPECT_EQ((AcrossVersions<fields::OldOne, fields::Musts>([](auto) {})).message(),
            "text: absent, but it is required");
}

TEST_F(FieldsTest, AnEnumOfANewerPeerIsRefusedWhereItMustBeKnown) {
  EXPECT_THAT((AcrossVersions<fields::ColorsOfLater, fields::ColorsOfNow>([](auto colors) {
                colors.setColor(fields::MoreColors::GRAY);
              })).message(),
              HasSubstr("color: 3 is no Color"));
}

TEST_F(FieldsTest, ParametersAndResultsHaveRulesToo) {
  using fields::Screen;
  EXPECT_EQ(Verdict<Screen::ResizeParams>([](auto params) { params.setScale(0); }),
            "scale: 0 is below 1");
  EXPECT_EQ(Verdict<Screen::ResizeResults>([](auto results) { results.setLeft(-1); }),
            "left: -1 is below 0");
}

TEST_F(FieldsTest, NoErrorTellsASecret) {
  using B = fields::Secrets::Builder;
  auto verdict = [](const std::function<void(B)>& fill) { return Verdict<fields::Secrets>(fill); };
  EXPECT_EQ(verdict([](B b) { b.setPin(12345); }), "pin: <sensitive> is above 9999");
  EXPECT_EQ(verdict([](B b) { b.setPassword("123456789"); }),
            "password: a length of <sensitive> bytes is outside 0 to 8");
  EXPECT_EQ(verdict([](B b) { b.setFlags(2); }), "flags: <sensitive> has bits besides 0x1");
}

// What is kept of each takes more than it does in the message.
TEST_F(FieldsTest, PiecesOfSharedMemoryAreCounted) {
  const auto check = [](unsigned count) {
    OutgoingMessage message = OutgoingMessage::ForCall(1, 0);
    auto list = message.payload().initAs<fields::Memories>().initList(count);
    for (auto memory : list) memory.setPool(1);
    auto received = IncomingMessage::Parse(ToFrame(std::move(message)), {});
    return received ? received->CheckPayload(PayloadTypeOf<fields::Memories>()) : received.error();
  };
  EXPECT_EQ(check(4096), Status());
  EXPECT_THAT(check(4097).message(),
              HasSubstr("more than 4096 pieces of shared memory in a message"));
}

TEST_F(FieldsTest, TypesKnowWhatTheyCanReach) {
  using fields::Screen;
  EXPECT_TRUE(PayloadTypeOf<Screen::ResizeParams>().has_rules());
  EXPECT_FALSE(PayloadTypeOf<Screen::PlainParams>().has_rules());
  EXPECT_FALSE(PayloadTypeOf<fields::ObjectGroup>().has_rules());
  EXPECT_FALSE(PayloadTypeOf<fields::Logins>().has_rules());
  EXPECT_TRUE(PayloadTypeOf<fields::Logins>().sensitive());
  EXPECT_TRUE(PayloadTypeOf<Screen::LoginParams>().sensitive());
  EXPECT_TRUE(PayloadTypeOf<Screen::LoginResults>().sensitive());
  EXPECT_FALSE(PayloadTypeOf<Screen::ResizeParams>().sensitive());
}

}  // namespace
}  // namespace lwmsg::test
