#include "lwmsg/print.h"

#include <capnp/message.h>
#include <gmock/gmock.h>

#include "print.capnp.h"
#include "print.lwmsg.h"
#include "tests/support/inventory.h"
#include "tests/support/sample_service.h"
#include "tests/support/schema_text_parser.h"

namespace lwmsg::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class PrintTest : public InventoriedTest {};

TEST_F(PrintTest, FieldsAreOnOneLineWithTheirNames) {
  capnp::MallocMessageBuilder message;
  auto all = message.initRoot<printed::All>();
  all.setText("a \"b\"\n\x01");
  const kj::byte bytes[] = {0, 0xab};
  all.setData(kj::arrayPtr(bytes, 2));
  all.setColor(printed::Color::GREEN);
  all.setReal(0.1);
  all.initFile().setSlot(2);
  all.initObject().setId(5);
  EXPECT_EQ(Print(all.asReader()),
            "(text = \"a \\\"b\\\"\\n\\x01\", data = 0x\"00ab\", color = green, real = 0.1, "
            "file = <handle 2>, object = <Kind 5>, secret = <sensitive>, "
            "group = (x = 0, key = <sensitive>), flag = false)");
}

TEST_F(PrintTest, SecretsAreNeverShown) {
  capnp::MallocMessageBuilder message;
  auto all = message.initRoot<printed::All>();
  all.setSecret("hunter2");
  all.getGroup().setKey(424242);
  all.setPassword("hunter2");
  auto list = all.initList(1);
  list[0].setSecret("hunter2");
  list[0].initNested().setSecret("hunter2");
  const std::string text = Print(all.asReader());
  EXPECT_THAT(text, AllOf(Not(HasSubstr("hunter2")), Not(HasSubstr("424242"))));
  EXPECT_THAT(text, HasSubstr("password = <sensitive>"));
  EXPECT_THAT(text, HasSubstr("list = [(color = red"));
}

TEST_F(PrintTest, WhatIsLongIsCutAndCounted) {
  capnp::MallocMessageBuilder message;
  auto all = message.initRoot<printed::All>();
  all.setText(std::string(1000, 'x'));
  all.initData(100);
  all.initList(100);
  const std::string text =
      Print(all.asReader(), {.max_text_bytes = 10, .max_data_bytes = 2, .max_list_elements = 3});
  EXPECT_THAT(text, HasSubstr("text = \"xxxxxxxxxx\"... (990 more bytes)"));
  EXPECT_THAT(text, HasSubstr("data = 0x\"0000\"... (98 more bytes)"));
  EXPECT_THAT(text, HasSubstr("... (97 more)]"));
  EXPECT_LT(Print(all.asReader(), {.max_list_elements = 100, .max_bytes = 500}).size(), 1000U);
}

TEST_F(PrintTest, DepthIsBounded) {
  capnp::MallocMessageBuilder message;
  auto all = message.initRoot<printed::All>();
  for (auto at = all; message.sizeInWords() < 5000;) at = at.initNested();
  EXPECT_THAT(Print(all.asReader(), {.max_depth = 3}), HasSubstr("nested = (...)"));
  EXPECT_LT(Print(all.asReader()).size(), 5000U);
}

TEST_F(PrintTest, UnknownEnumerantsAreNumbers) {
  capnp::MallocMessageBuilder message;
  auto all = message.initRoot<printed::All>();
  all.setColor(static_cast<printed::Color>(77));
  EXPECT_THAT(Print(all.asReader()), HasSubstr("color = 77"));
}

TEST_F(PrintTest, IndentedHasALineForEachField) {
  capnp::MallocMessageBuilder message;
  auto item = message.initRoot<sample::Item>();
  item.setName("a");
  item.initChildren(1)[0].setName("b");
  EXPECT_EQ(
      Print(item.asReader(), {.indented = true}),
      "(\n  name = \"a\",\n  file = <no handle>,\n  children = [\n    (\n      name = \"b\",\n"
      "      file = <no handle>\n    )\n  ]\n)");
}

TEST_F(PrintTest, ParamsAreReadByTheirMethod) {
  capnp::MallocMessageBuilder message;
  message.initRoot<sample::Sample::OpenParams>().setPath("/x");
  const auto& open = sample::kSampleProtocol.methods[1];
  EXPECT_EQ(PrintParams(open, message.getRoot<capnp::AnyPointer>()), "(path = \"/x\")");
  EXPECT_EQ(PrintResults(open, capnp::AnyPointer::Reader()), "(file = <no handle>)");
  EXPECT_EQ(PrintResults(open, message.getRoot<capnp::AnyPointer>()), "(file = <malformed>)");
}

TEST_F(PrintTest, MalformedIsSaidAndHidesNothingElse) {
  capnp::MallocMessageBuilder message;
  // A list where a text is expected.
  auto item = message.initRoot<capnp::AnyPointer>().initAsAnyStruct(0, 3);
  item.getPointerSection()[0].initAs<capnp::List<uint32_t>>(3);
  EXPECT_EQ(Print(message.getRoot<sample::Item>().asReader()),
            "(name = <malformed>, file = <no handle>)");
}

TEST_F(PrintTest, ProtocolIsPrintedLikeItsSchema) {
  const std::string text = Print(sample::kSampleProtocol);
  EXPECT_THAT(text, HasSubstr("interface Sample {\n  echo @0 (text :Text) -> (text :Text);\n"));
  EXPECT_THAT(text, HasSubstr("  log @4 (text :Text) $oneway;\n"));
  EXPECT_THAT(text, HasSubstr("(object :Handle(Object))"));
  EXPECT_THAT(text, HasSubstr("struct Item {\n  name @0 :Text;\n  file @1 :OsHandle;\n"));
  EXPECT_THAT(text, HasSubstr("children @2 :List(Item);"));
}

}  // namespace
}  // namespace lwmsg::test
