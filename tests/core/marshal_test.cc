// LWMsg's own tests of marshalling, 63 to 109, as far as Cap'n Proto leaves them to lwmsg. The
// table in README.md says what became of each.
#include <gmock/gmock.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>

#include "fields.capnp.h"
#include "lwmsg/internal/message_state.h"
#include "lwmsg/internal/payload_type.h"
#include "tests/support/inventory.h"
#include "tests/support/memory_transport.h"

namespace lwmsg::test {
namespace {

using internal::PayloadTypeOf;
using ::testing::HasSubstr;

// The words of a struct that is being built, as capnproto.org/encoding.html has them.
struct Layout {
  uint64_t* words;
  size_t data;

  template <typename Builder>
  static Layout Of(Builder builder) {
    auto any = capnp::toAny(builder);
    auto data = any.getDataSection();
    return {reinterpret_cast<uint64_t*>(data.begin()), data.size() / sizeof(uint64_t)};
  }
  uint64_t& pointer(size_t index) const { return words[data + index]; }
};

class MarshalTest : public InventoriedTest {
 protected:
  template <typename T>
  using Fill = std::function<void(typename T::Builder)>;

  template <typename T>
  static OutgoingMessage Message(const Fill<T>& fill) {
    OutgoingMessage message = OutgoingMessage::ForCall(1, 0);
    fill(message.payload().initAs<T>());
    return message;
  }
  template <typename T>
  static Status Sent(const Fill<T>& fill) {
    return Message<T>(fill).CheckPayload(PayloadTypeOf<T>());
  }
  template <typename T>
  static Status Received(Frame frame) {
    auto message = IncomingMessage::Parse(std::move(frame), {});
    return message ? message->CheckPayload(PayloadTypeOf<T>()) : message.error();
  }
  template <typename T>
  static Status Received(const Fill<T>& fill) {
    return Received<T>(ToFrame(Message<T>(fill)));
  }
  // The message as its receiver has it, which must find it good.
  template <typename T>
  static IncomingMessage RoundTrip(const Fill<T>& fill) {
    auto message = IncomingMessage::Parse(ToFrame(Message<T>(fill)), {});
    EXPECT_EQ(message->CheckPayload(PayloadTypeOf<T>()), Status());
    return std::move(*message);
  }
};

TEST_F(MarshalTest, M63_BasicRoundTrip) {
  const auto message = RoundTrip<fields::Basic>([](auto basic) {
    basic.setFoo(-2);
    basic.setBar(UINT64_MAX);
    basic.setBaz({1, -1});
  });
  const auto basic = message.payload().getAs<fields::Basic>();
  EXPECT_EQ(basic.getFoo(), -2);
  EXPECT_EQ(basic.getBar(), UINT64_MAX);
  EXPECT_EQ(basic.getBaz()[1], -1);
}

TEST_F(MarshalTest, M65_TheSenderRefuses) {
  EXPECT_EQ(Sent<fields::Width>([](auto width) { width.setWidth(0); }).code(),
            StatusCode::kInvalidArgument);
}

TEST_F(MarshalTest, M66_TheReceiverRefuses) {
  EXPECT_EQ(Received<fields::Width>([](auto width) { width.setWidth(0); }).code(),
            StatusCode::kMalformed);
}

TEST_F(MarshalTest, M67_RangeLow) {
  EXPECT_EQ(Received<fields::Integers>([](auto integers) { integers.setI8(-101); }).message(),
            "i8: -101 is outside -100 to 100");
}

TEST_F(MarshalTest, M68_RangeHigh) {
  EXPECT_EQ(Received<fields::Integers>([](auto integers) { integers.setI8(101); }).message(),
            "i8: 101 is outside -100 to 100");
}

TEST_F(MarshalTest, M69_TruncatedInput) {
  const Frame whole = ToFrame(Message<fields::Basic>([](auto basic) { basic.initBaz(9); }));
  // Up to nothing, as no length is special.
  for (size_t size = 0; size < whole.words.size(); ++size) {
    Frame part{kj::heapArray<capnp::word>(size), {}};
    if (size != 0) std::memcpy(part.words.begin(), whole.words.begin(), 8 * size);
    EXPECT_EQ(Received<fields::Basic>(std::move(part)).code(), StatusCode::kMalformed) << size;
  }
}

TEST_F(MarshalTest, M70_LengthThatOverflows) {
  const Status status = Received<fields::Lists>([](auto lists) {
    lists.initSome(1);
    lists.initLongs(1);
    // 2^29 - 1 elements of 8 bytes, which do not fit 32 bits.
    Layout::Of(lists).pointer(3) |= uint64_t{0x1FFFFFFF} << 35;
  });
  EXPECT_EQ(status.code(), StatusCode::kMalformed);
  EXPECT_THAT(status.message(), HasSubstr("longs: "));
}

TEST_F(MarshalTest, M71_TwoPointersToOneTargetAreReadAsTwo) {
  const auto message = RoundTrip<fields::Texts>([](auto texts) {
    texts.setName("abc");
    const Layout layout = Layout::Of(texts);
    // One word nearer.
    layout.pointer(1) = layout.pointer(0) - (1 << 2);
  });
  const auto texts = message.payload().getAs<fields::Texts>();
  EXPECT_EQ(texts.getName(), "abc");
  EXPECT_EQ(texts.getCode(), "abc");
}

TEST_F(MarshalTest, M72_AnAbsentPointerIsReadAsItsDefault) {
  const auto message = RoundTrip<fields::Texts>([](auto texts) { texts.setName("x"); });
  EXPECT_EQ(message.payload().getAs<fields::Texts>().getCode(), "abc");
}

TEST_F(MarshalTest, M73_RequiredAtTheSender) {
  EXPECT_EQ(Sent<fields::StringLists>([](auto) {}),
            Status(StatusCode::kInvalidArgument, "must: absent, but it is required"));
}

TEST_F(MarshalTest, M74_RequiredAtTheReceiver) {
  EXPECT_EQ(Received<fields::StringLists>([](auto) {}),
            Status(StatusCode::kMalformed, "must: absent, but it is required"));
}

TEST_F(MarshalTest, M75_ARingIsRefused) {
  const Status status = Received<fields::Tree>([](auto tree) {
    auto next = tree.initNext();
    const Layout layout = Layout::Of(next);
    // To the start of the struct that it stands in: that many words back, and as large as the root.
    const uint64_t size = Layout::Of(tree).pointer(1) >> 32 << 32;
    const auto back = static_cast<uint32_t>(-static_cast<int32_t>(layout.data + 2));
    layout.pointer(1) = size | (back << 2);
  });
  EXPECT_EQ(status.code(), StatusCode::kMalformed);
  EXPECT_THAT(status.message(), HasSubstr("next.next.next"));
  EXPECT_THAT(status.message(), HasSubstr("Limits::max_nesting"));
}

TEST_F(MarshalTest, M77_StringWithASecret) {
  const auto message = RoundTrip<fields::Strings>([](auto strings) {
    strings.setFoo("hello");
    strings.setBar("world");
  });
  EXPECT_EQ(message.payload().getAs<fields::Strings>().getBar(), "world");
  EXPECT_TRUE(PayloadTypeOf<fields::Strings>().sensitive());
}

TEST_F(MarshalTest, M78_StringBeyondItsLimit) {
  EXPECT_EQ(Received<fields::Strings>([](auto strings) { strings.initFoo(511); }).message(),
            "foo: a length of 511 bytes is outside 0 to 255");
  EXPECT_EQ(Received<fields::Strings>([](auto strings) { strings.initFoo(255); }), Status());
}

TEST_F(MarshalTest, M80_StringArray) {
  const auto message =
      RoundTrip<fields::StringLists>([](auto lists) { lists.setMust({"foo", "bar"}); });
  EXPECT_EQ(message.payload().getAs<fields::StringLists>().getMust()[1], "bar");
}

TEST_F(MarshalTest, M81_AnEmptyArrayIsThere) {
  EXPECT_EQ(Received<fields::StringLists>([](auto lists) { lists.initMust(0); }), Status());
}

TEST_F(MarshalTest, M82_AnAbsentArrayIsReadAsEmpty) {
  const auto message = RoundTrip<fields::StringLists>([](auto lists) { lists.initMust(0); });
  EXPECT_EQ(message.payload().getAs<fields::StringLists>().getFree().size(), 0U);
}

TEST_F(MarshalTest, M83_TwoUnions) {
  auto verdict = [](uint32_t number, const char* text) {
    return Received<fields::Arms>([&](auto arms) {
             arms.getFirst().setText(text);
             arms.getSecond().setNumber(number);
           })
        .message();
  };
  EXPECT_EQ(verdict(9, "abc"), "");
  EXPECT_EQ(verdict(9, "abcd"), "first.text: a length of 4 bytes is outside 0 to 3");
  EXPECT_EQ(verdict(10, "abc"), "second.number: 10 is above 9");
}

TEST_F(MarshalTest, M83_AnArmOfANewerPeerIsLeftToTheReader) {
  const auto message = RoundTrip<fields::Levels>([](auto levels) {
    // The discriminant is all the data there is.
    *Layout::Of(levels).words = 7;
  });
  EXPECT_EQ(static_cast<int>(message.payload().getAs<fields::Levels>().which()), 7);
}

TEST_F(MarshalTest, M84_NestedStruct) {
  EXPECT_EQ(Received<fields::Tree>([](auto tree) {
              tree.initNext().initBoxed().initValue().setWidth(0);
            }).message(),
            "next.boxed.value.width: 0 is outside 1 to 4096");
}

TEST_F(MarshalTest, M85_NestedUnion) {
  EXPECT_EQ(Received<fields::Arms>([](auto arms) {
              arms.getSecond().initInner().setLeft("");
              arms.getSecond().getInner().disownLeft();
            }).message(),
            "second.inner.left: absent, but it is required");
}

TEST_F(MarshalTest, M86_AnEmptyArmDemandsNothing) {
  EXPECT_EQ(Received<fields::Arms>([](auto arms) {
              arms.getFirst().setNothing();
              arms.getSecond().initInner().setNothing();
            }),
            Status());
}

TEST_F(MarshalTest, M87_ArrayOfFixedLength) {
  EXPECT_EQ(Received<fields::Fixed>([](auto fixed) { fixed.setThree({1, 2, 3}); }), Status());
  EXPECT_EQ(Received<fields::Fixed>([](auto fixed) { fixed.setThree({1, 2}); }).message(),
            "three: a length of 2 elements is outside 3 to 3");
}

TEST_F(MarshalTest, M93_InfoLevel1) {
  EXPECT_EQ(Received<fields::Levels>([](auto levels) { levels.initLevel1(3); }).message(),
            "level1: a length of 3 elements is outside 0 to 2");
}

TEST_F(MarshalTest, M94_InfoLevel2) {
  EXPECT_EQ(Received<fields::Levels>([](auto levels) { levels.initLevel2(3); }), Status());
}

TEST_F(MarshalTest, M99_EnumValue) {
  const auto message =
      RoundTrip<fields::ColorsOfNow>([](auto colors) { colors.setColor(fields::Color::GREEN); });
  EXPECT_EQ(message.payload().getAs<fields::ColorsOfNow>().getColor(), fields::Color::GREEN);
}

TEST_F(MarshalTest, M101_BogusEnumValue) {
  const Fill<fields::ColorsOfNow> bogus = [](auto colors) {
    colors.setColor(static_cast<fields::Color>(70));
  };
  EXPECT_THAT(Sent<fields::ColorsOfNow>(bogus).message(), HasSubstr("color: 70 is no Color"));
  EXPECT_THAT(Received<fields::ColorsOfNow>(bogus).message(), HasSubstr("color: 70 is no Color"));
}

TEST_F(MarshalTest, M102_AMaskMayBeZero) {
  EXPECT_EQ(Received<fields::Integers>([](auto integers) { integers.setFlags(0); }), Status());
  EXPECT_EQ(Received<fields::Integers>([](auto integers) { integers.setFlags(2); }).message(),
            "flags: 0x2 has bits besides 0x8031");
}

TEST_F(MarshalTest, M106_OverflowOfANarrowerSignedInteger) {
  EXPECT_EQ(Received<fields::Narrow>([](auto narrow) { narrow.setInt16(32768); }).message(),
            "int16: 32768 is above 32767");
}

TEST_F(MarshalTest, M108_OverflowUpwards) {
  EXPECT_EQ(Received<fields::Narrow>([](auto narrow) { narrow.setInt8(128); }).message(),
            "int8: 128 is outside -128 to 127");
}

TEST_F(MarshalTest, M109_OverflowDownwards) {
  EXPECT_EQ(Received<fields::Narrow>([](auto narrow) { narrow.setInt8(-129); }).message(),
            "int8: -129 is outside -128 to 127");
}

}  // namespace
}  // namespace lwmsg::test
