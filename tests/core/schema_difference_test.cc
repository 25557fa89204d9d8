#include "lwmsg/internal/schema_difference.h"

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <gmock/gmock.h>

#include <array>

#include "lwmsg/internal/payload_type.h"
#include "lwmsg/internal/reached_schemas.h"
#include "lwmsg/internal/schema_text.h"
#include "tests/support/inventory.h"
#include "tests/support/sample_service.h"
#include "tests/support/schema_text_parser.h"

namespace lwmsg::test {
namespace {

using internal::CheckCompatible;
using internal::CollectNodes;
using internal::ForeignSchema;
using internal::SchemaDifferences;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Nodes = capnp::List<capnp::schema::Node>;

constexpr const char* kInterface = "interface I @0xf000000000000001 ";

class SchemaDifferenceTest : public InventoriedTest {
 protected:
  // Types of both, methods here, methods there. Also asks the other way round: compatible is
  // compatible both ways.
  static std::vector<std::string> Differences(const std::string& ours, const std::string& theirs) {
    ParsedSchema here(ours);
    ParsedSchema there(theirs);
    auto differences = SchemaDifferences(here.Interface("I"), there.Interface("I"));
    auto reverse = SchemaDifferences(there.Interface("I"), here.Interface("I"));
    EXPECT_EQ(differences.size(), reverse.size());
    return differences;
  }
  static std::vector<std::string> Methods(const std::string& ours, const std::string& theirs) {
    return Differences(kInterface + ("{" + ours + "}"), kInterface + ("{" + theirs + "}"));
  }
  // A method whose params have one field of this type and of that.
  static std::vector<std::string> Types(const std::string& ours, const std::string& theirs,
                                        const std::string& common = "") {
    return Differences(common + kInterface + "{ m @0 (f :" + ours + ") -> (); }",
                       common + kInterface + "{ m @0 (f :" + theirs + ") -> (); }");
  }
  // The bodies of struct S, which is the type of a field.
  static std::vector<std::string> Structs(const std::string& ours, const std::string& theirs) {
    const std::string rest = std::string(kInterface) + "{ m @0 () -> (s :S); }";
    return Differences("struct S @0xf000000000000002 {" + ours + "}" + rest,
                       "struct S @0xf000000000000002 {" + theirs + "}" + rest);
  }
};

TEST_F(SchemaDifferenceTest, SameIsCompatible) {
  const auto sample = internal::SchemaOf<sample::Sample>();
  EXPECT_THAT(SchemaDifferences(sample, sample), IsEmpty());
}

TEST_F(SchemaDifferenceTest, WhatIsAddedOrRenamedIsCompatible) {
  EXPECT_THAT(Methods("m @0 (a :Text) -> ();",
                      "x @0 (b :Text, c :UInt32 = 7) -> (d :Bool); n @1 () -> ();"),
              IsEmpty());
  EXPECT_THAT(Structs("a @0 :Text; union { b @1 :Bool; c @2 :S; }",
                      "a @0 :Text; union { b @1 :Bool; z @2 :S; y @3 :Data; } x @4 :Int8;"),
              IsEmpty());
  EXPECT_THAT(Differences("enum E @0xf000000000000003 { a @0; }" + std::string(kInterface) +
                              "{ m @0 (e :E) -> (); }",
                          "enum E @0xf000000000000003 { b @0; c @1; }" + std::string(kInterface) +
                              "{ m @0 (e :E) -> (); }"),
              IsEmpty());
}

TEST_F(SchemaDifferenceTest, FieldMayMoveIntoANewGroupOrUnion) {
  EXPECT_THAT(Structs("a @0 :UInt32;", "g :group { a @0 :UInt32; b @1 :Text; }"), IsEmpty());
  EXPECT_THAT(Structs("a @0 :UInt32;", "union { a @0 :UInt32; b @1 :Text; }"), IsEmpty());
  EXPECT_THAT(Structs("a @0 :UInt32;", "g :union { a @0 :UInt32; b @1 :Text; }"), IsEmpty());
  EXPECT_THAT(Structs("a @0 :UInt32; b @1 :Text;", "union { a @0 :UInt32; b @1 :Text; }"),
              ElementsAre(HasSubstr("field \"s.b\" has another place in its union there")));
  EXPECT_THAT(Structs("a @0 :UInt32;", "g :group { a @0 :UInt64; b @1 :Text; }"),
              ElementsAre("I.m results: field \"s.a\" is UInt32 here and UInt64 there"));
}

TEST_F(SchemaDifferenceTest, OtherTypesAreNamed) {
  EXPECT_THAT(Types("Text", "Data"),
              ElementsAre("I.m params: field \"f\" is Text here and Data there"));
  EXPECT_THAT(Types("Int32", "UInt32"), ElementsAre(HasSubstr("is Int32 here and UInt32 there")));
  EXPECT_THAT(Types("List(Text)", "List(List(Int8))"),
              ElementsAre(HasSubstr("is List(Text) here and List(List(Int8)) there")));
  EXPECT_THAT(Types("AnyPointer", "Text"), ElementsAre(HasSubstr("is AnyPointer here")));
  EXPECT_THAT(Types("A", "B", "struct A { x @0 :Text; } struct B { x @0 :Text; }"),
              ElementsAre(HasSubstr("is A here and B there")));
  EXPECT_THAT(Types("Lwmsg.OsHandle", "Text"),
              ElementsAre(HasSubstr("is OsHandle here and Text there")));
  EXPECT_THAT(Types("Data", "List(UInt8)"), IsEmpty());
  EXPECT_THAT(Types("Text", "List(UInt8)"), ElementsAre(HasSubstr("is Text here")));
}

TEST_F(SchemaDifferenceTest, DifferencesBelowAreNamedWithTheirPath) {
  const std::string rest = std::string(kInterface) + "{ m @0 () -> (list :List(S)); }";
  EXPECT_THAT(
      Differences(
          "struct S @0xf000000000000002 { g :group { x @0 :Int8; y @1 :List(S); } }" + rest,
          "struct S @0xf000000000000002 { g :group { x @0 :Bool; y @1 :List(S); } }" + rest),
      ElementsAre("I.m results: field \"list[].g.x\" is Int8 here and Bool there"));
}

TEST_F(SchemaDifferenceTest, RemovedFieldAndOtherDefaultAreNamed) {
  EXPECT_THAT(Structs("a @0 :UInt8; b @1 :UInt32; c @2 :UInt32;",
                      "a @0 :UInt8; b @1 :UInt32 = 5; c @2 :UInt32;"),
              ElementsAre(HasSubstr("field \"s.b\" has another default there")));
  EXPECT_THAT(Structs("a @0 :UInt8; b @1 :UInt8;", "b @0 :UInt8;"), IsEmpty());
  EXPECT_THAT(Structs("a @0 :UInt8; b @1 :UInt32; c @2 :UInt32;", "a @0 :UInt8; c @1 :UInt32;"),
              IsEmpty());
  EXPECT_THAT(Structs("c @0 :UInt32; b @1 :Bool;", "c @0 :UInt32; b @1 :Void;"), IsEmpty());
  EXPECT_THAT(Structs("v @0 :UInt32; c @1 :UInt32;", "v @0 :Void; c @1 :UInt32;"),
              ElementsAre(HasSubstr("field \"s.c\" has another place")));
}

TEST_F(SchemaDifferenceTest, ListMayBecomeAListOfStructs) {
  EXPECT_THAT(Types("List(Text)", "List(S)", "struct S { t @0 :Text; more @1 :Bool; }"), IsEmpty());
  EXPECT_THAT(Types("List(UInt16)", "List(S)", "struct S { t @0 :UInt16; }"), IsEmpty());
  EXPECT_THAT(Types("List(Bool)", "List(S)", "struct S { t @0 :Bool; }"),
              ElementsAre(HasSubstr("List(Bool)")));
  EXPECT_THAT(Types("List(Text)", "List(S)", "struct S { t @0 :Data; }"),
              ElementsAre(HasSubstr("List(S)")));
  EXPECT_THAT(Types("List(UInt16)", "List(Lwmsg.OsHandle)"), ElementsAre(HasSubstr("OsHandle")));
}

TEST_F(SchemaDifferenceTest, GenericsAreComparedByWhatTheyHold) {
  const std::string box = "struct Box @0xf000000000000004 (T) { v @0 :T; next @1 :Box(T); }";
  const std::string open = "struct Box @0xf000000000000004 { v @0 :Text; next @1 :Box; }";
  EXPECT_THAT(Types("Box(Text)", "Box(Data)", box),
              ElementsAre("I.m params: field \"f.v\" is Text here and Data there"));
  EXPECT_THAT(Differences(open + kInterface + "{ m @0 (f :Box) -> (); }",
                          box + kInterface + "{ m @0 (f :Box(Text)) -> (); }"),
              IsEmpty());
}

TEST_F(SchemaDifferenceTest, HandlesAreComparedByTheirKindOfObject) {
  const std::string kinds = "interface A {} interface B {}";
  EXPECT_THAT(Types("Lwmsg.Handle(A)", "Lwmsg.Handle(A)", kinds), IsEmpty());
  EXPECT_THAT(Types("Lwmsg.Handle(A)", "Lwmsg.Handle(B)", kinds),
              ElementsAre("I.m params: field \"f\" is Handle(A) here and Handle(B) there"));
}

TEST_F(SchemaDifferenceTest, OneWayAndStreamAreCompared) {
  EXPECT_THAT(Methods("m @0 ();", "m @0 () $Lwmsg.oneway;"),
              ElementsAre("I.m: one-way there and not here"));
  EXPECT_THAT(Methods("m @0 ();", "m @0 () $Lwmsg.stream(3);"),
              ElementsAre("I.m: a stream there and not here"));
}

TEST_F(SchemaDifferenceTest, BasesOfBothAreCompared) {
  const auto schema = [](const std::string& type) {
    return "interface Base @0xf000000000000005 { b @0 (x :" + type + ") -> (); }" + kInterface +
           "extends(Base) {}";
  };
  EXPECT_THAT(Differences(schema("Int8"), schema("Bool")),
              ElementsAre("Base.b params: field \"x\" is Int8 here and Bool there"));
  EXPECT_THAT(Differences(schema("Int8"), kInterface + std::string("{}")), IsEmpty());
}

TEST_F(SchemaDifferenceTest, CollectedNodesDescribeTheInterface) {
  capnp::MallocMessageBuilder message;
  const capnp::InterfaceSchema root[] = {internal::SchemaOf<sample::Sample>()};
  auto nodes = CollectNodes(root, message.getOrphanage());
  ASSERT_TRUE(nodes) << nodes.error();
  EXPECT_EQ(CheckCompatible(root[0], nodes->getReader()), Status());
  std::vector<uint64_t> ids;
  for (auto node : nodes->getReader()) ids.push_back(node.getId());
  EXPECT_THAT(ids, Contains(capnp::typeId<sample::Item>()));
  // An argument of Handle, in no field.
  EXPECT_THAT(ids, Contains(capnp::typeId<sample::Object>()));
}

class UntrustedSchemaTest : public SchemaDifferenceTest {
 protected:
  void Collect(capnp::InterfaceSchema root) {
    const capnp::InterfaceSchema roots[] = {root};
    auto orphan = CollectNodes(roots, message_->getOrphanage());
    ASSERT_TRUE(orphan) << orphan.error();
    nodes_ = message_->initRoot<capnp::schema::CodeGeneratorRequest>();
    nodes_->adoptNodes(std::move(*orphan));
  }
  static capnp::InterfaceSchema Sample() { return internal::SchemaOf<sample::Sample>(); }
  Status Check() { return CheckCompatible(Sample(), nodes_->asReader().getNodes()); }

  std::unique_ptr<capnp::MallocMessageBuilder> message_ =
      std::make_unique<capnp::MallocMessageBuilder>();
  std::optional<capnp::schema::CodeGeneratorRequest::Builder> nodes_;
};

TEST_F(UntrustedSchemaTest, MissingTypeIsNotTakenForAnEmptyOne) {
  Collect(Sample());
  const auto count = nodes_->getNodes().size();
  for (unsigned missing = 0; missing < count; ++missing) {
    capnp::MallocMessageBuilder message;
    auto fewer = message.initRoot<capnp::schema::CodeGeneratorRequest>().initNodes(count - 1);
    for (unsigned i = 0, to = 0; i < count; ++i) {
      if (i != missing) fewer.setWithCaveats(to++, nodes_->asReader().getNodes()[i]);
    }
    EXPECT_FALSE(CheckCompatible(Sample(), fewer.asReader()).ok()) << missing;
  }
}

TEST_F(UntrustedSchemaTest, TwoNodesWithOneIdAreRefused) {
  Collect(Sample());
  nodes_->getNodes()[1].setId(nodes_->getNodes()[0].getId());
  EXPECT_THAT(Check().message(), HasSubstr("two nodes with the id"));
}

TEST_F(UntrustedSchemaTest, GroupOfItselfIsRefused) {
  ParsedSchema grouped(
      "struct S { g :group { a @0 :Text; h :group { b @1 :Text; c @2 :Text; } } }" +
      std::string(kInterface) + "{ m @0 S -> (); }");
  Collect(grouped.Interface("I"));
  uint64_t outer = 0;
  for (auto node : nodes_->getNodes()) {
    if (node.isStruct() && node.getStruct().getIsGroup() && outer == 0) outer = node.getId();
  }
  ASSERT_NE(outer, 0U);
  // Every group is now the outer one: that one holds itself.
  for (auto node : nodes_->getNodes()) {
    if (!node.isStruct()) continue;
    for (auto field : node.getStruct().getFields()) {
      if (field.isGroup()) field.getGroup().setTypeId(outer);
    }
  }
  auto foreign = ForeignSchema::Load(nodes_->asReader().getNodes());
  if (foreign) {
    auto loaded = (*foreign)->Interface(0xf000000000000001);
    EXPECT_FALSE(loaded);
  }
}

TEST_F(UntrustedSchemaTest, EndlessGenericIsRefused) {
  ParsedSchema endless("struct P(A, B) { v @0 :A; n @1 :P(P(A, B), P(B, A)); }" +
                       std::string(kInterface) + "{ m @0 (p :P(Text, Data)) -> (); }");
  capnp::MallocMessageBuilder message;
  const capnp::InterfaceSchema roots[] = {endless.Interface("I")};
  EXPECT_EQ(CollectNodes(roots, message.getOrphanage()).error().code(),
            StatusCode::kResourceExhausted);
  ParsedSchema plain("struct P { n @0 :P; }" + std::string(kInterface) + "{ m @0 (p :P) -> (); }");
  EXPECT_THAT(SchemaDifferences(endless.Interface("I"), plain.Interface("I")),
              ::testing::Not(IsEmpty()));
}

// The loader makes a generic type anew for each list of arguments.
TEST_F(UntrustedSchemaTest, LargeGenericWithManyArgumentsIsRefused) {
  constexpr int kTypes = 16;
  std::string large = "struct G(A, B) { ";
  for (int i = 0; i < 1000; ++i) {
    large += "f" + std::to_string(i) + " @" + std::to_string(i) + " :Int32; ";
  }
  large += "} struct P { ";
  std::string types;
  for (int i = 0; i < kTypes * kTypes; ++i) {
    const std::string number = std::to_string(i);
    if (i < kTypes) types += "struct S" + number + " {} ";
    large += "p" + number + " @" + number + " :G(S" + std::to_string(i / kTypes) + ", S" +
             std::to_string(i % kTypes) + "); ";
  }
  ParsedSchema schema(large + "} " + types + kInterface + "{ m @0 P -> (); }");
  capnp::MallocMessageBuilder message;
  const capnp::InterfaceSchema roots[] = {schema.Interface("I")};
  auto nodes = CollectNodes(roots, message.getOrphanage());
  ASSERT_FALSE(nodes);
  EXPECT_EQ(nodes.error().code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(nodes.error().message(), HasSubstr("too many members"));
}

TEST_F(UntrustedSchemaTest, ArgumentsForManyScopesAreRefused) {
  auto node = message_->initRoot<capnp::schema::CodeGeneratorRequest>().initNodes(1)[0];
  node.setId(1);
  node.setDisplayName("x:I");
  node.initInterface().initSuperclasses(1)[0].initBrand().initScopes(65);
  auto foreign = ForeignSchema::Load(
      message_->getRoot<capnp::schema::CodeGeneratorRequest>().asReader().getNodes());
  ASSERT_FALSE(foreign);
  EXPECT_THAT(foreign.error().message(), HasSubstr("I has type arguments for 65 scopes"));
}

// Every byte of a description changed: an answer, whatever it is, and no crash.
TEST_F(UntrustedSchemaTest, AnyFlippedByteGivesAnAnswer) {
  ParsedSchema schema(
      "enum E { a @0; } struct Box(T) { v @0 :T; union { e @1 :E; g :group { l @2 :List(Box(T)) = "
      "[]; } } }" +
      std::string(kInterface) + "{ m @0 (b :Box(Text) = (v = \"x\")) -> (h :Lwmsg.OsHandle); }");
  Collect(schema.Interface("I"));
  auto words = capnp::messageToFlatArray(*message_);
  auto bytes = words.asBytes();
  for (size_t i = 0; i < bytes.size(); ++i) {
    const uint8_t flip = std::array<uint8_t, 3>{0x01, 0x80, 0xff}[i % 3];
    bytes[i] ^= flip;
    try {
      capnp::FlatArrayMessageReader reader(words);
      auto nodes = reader.getRoot<capnp::schema::CodeGeneratorRequest>().getNodes();
      auto foreign = ForeignSchema::Load(nodes);
      auto interface = foreign ? (*foreign)->Interface(0xf000000000000001)
                               : Error(StatusCode::kMalformed, "not loaded");
      if (interface) {
        SchemaDifferences(schema.Interface("I"), *interface);
        EXPECT_THAT(internal::InterfaceText(*interface), HasSubstr("interface"));
      }
    } catch (const kj::Exception&) {  // NOLINT(bugprone-empty-catch): there is no list of nodes.
    }
    bytes[i] ^= flip;
  }
}

TEST_F(SchemaDifferenceTest, LongTextIsNotCutWithinACharacter) {
  ParsedSchema schema(kInterface + std::string("{}"));
  for (size_t before = 396; before < 401; ++before) {
    SCOPED_TRACE(before);
    const std::string text = std::string(before, 'x') + "\xe2\x82\xac" + std::string(1000, 'y');
    const Status status = internal::DifferenceStatus(schema.Interface("I"), {text});
    const std::string kept = before <= 397 ? std::string(before, 'x') + "\xe2\x82\xac"
                                           : std::string(std::min<size_t>(before, 400), 'x');
    EXPECT_THAT(status.message(), HasSubstr(kept));
    EXPECT_LT(status.message().size(), 500U);
    EXPECT_EQ(internal::QuotedText(status.message(), 2000).find("\\x"), std::string::npos);
  }
}

TEST_F(UntrustedSchemaTest, HostileNamesAreRefusedOrPrintedSafely) {
  Collect(Sample());
  for (auto node : nodes_->getNodes()) {
    if (node.isInterface()) node.setDisplayNamePrefixLength(100000);
  }
  EXPECT_THAT(Check().message(), HasSubstr("shorter than its own prefix: "));
  EXPECT_EQ(internal::SafeName("a\nb\x1b[0m\xe2\x80\xae\xff"), "a\\nb\\x1b[0m\\xe2\\x80\\xae\\xff");
}

}  // namespace
}  // namespace lwmsg::test
