#include "codegen/source_lines.h"

#include <gtest/gtest.h>

namespace lwmsg::codegen {
namespace {

TEST(SourceLines, FindsMethodsAndTheFieldsOfTheirLists) {
  const SourceLines lines(
      "@0xb4cd5e1f3a7c9d21;\n"
      "interface Broker {\n"
      "  open @0 (name :Text = \"(x :Y) -> {\",\n"
      "           tty :List(Text)) -> (tty :Text,\n"
      "                                other :Text);\n"
      "}\n");
  EXPECT_EQ(lines.Find({"Broker"}), 2);
  EXPECT_EQ(lines.Find({"Broker", "open"}), 3);
  EXPECT_EQ(lines.Find({"Broker", "open", "$Params", "name"}), 3);
  EXPECT_EQ(lines.Find({"Broker", "open", "$Params", "tty"}), 4);
  EXPECT_EQ(lines.Find({"Broker", "open", "$Results", "tty"}), 4);
  EXPECT_EQ(lines.Find({"Broker", "open", "$Results", "other"}), 5);
}

TEST(SourceLines, TellsScopesWithTheSameNamesApart) {
  const SourceLines lines(
      "struct A { x @0 :Text; }\n"
      "struct B {\n"
      "  x @0 :Text;\n"
      "  struct A { x @0 :Text; }\n"
      "}\n");
  EXPECT_EQ(lines.Find({"A", "x"}), 1);
  EXPECT_EQ(lines.Find({"B", "x"}), 3);
  EXPECT_EQ(lines.Find({"B", "A", "x"}), 4);
}

TEST(SourceLines, PutsUnnamedUnionsIntoTheStructAroundThem) {
  const SourceLines lines(
      "struct S {\n"
      "  union {\n"
      "    a @0 :Text;\n"
      "    g :group {\n"
      "      b @1 :Text;\n"
      "    }\n"
      "  }\n"
      "  after @2 :Text;\n"
      "}\n");
  EXPECT_EQ(lines.Find({"S", "a"}), 3);
  EXPECT_EQ(lines.Find({"S", "g", "b"}), 5);
  EXPECT_EQ(lines.Find({"S", "after"}), 8);
}

TEST(SourceLines, TakesWordsOfTheLanguageAsNames) {
  const SourceLines lines(
      "interface I {\n"
      "  struct @0 (interface :Text);\n"
      "  union @1 ();\n"
      "  struct T { struct @0 :Text; }\n"
      "}\n");
  EXPECT_EQ(lines.Find({"I", "struct"}), 2);
  EXPECT_EQ(lines.Find({"I", "struct", "$Params", "interface"}), 2);
  EXPECT_EQ(lines.Find({"I", "union"}), 3);
  EXPECT_EQ(lines.Find({"I", "T", "struct"}), 4);
}

TEST(SourceLines, IgnoresCommentsAndStrings) {
  const SourceLines lines(
      "# struct A {\n"
      "const text :Text = \"struct A { \\\" }\";\n"
      "struct A {}  # struct B {}\n"
      "struct B {}\n");
  EXPECT_EQ(lines.Find({"A"}), 3);
  EXPECT_EQ(lines.Find({"B"}), 4);
}

TEST(SourceLines, FindsNothingInNonsense) {
  for (const char* text : {"", "}", "{", "\"", "(((", "struct", "; ; }{", "@", "a(b:", "->"}) {
    EXPECT_EQ(SourceLines(text).Find({"A"}), 0) << text;
  }
}

}  // namespace
}  // namespace lwmsg::codegen
