// Messages of a peer that cost little to send (T09): what they make this side ask for, counted. Of
// the whole program, so it stands alone.
#include <capnp/message.h>
#include <gmock/gmock.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <new>
#include <string>

#include "lwmsg/internal/message_state.h"
#include "lwmsg/internal/reached_schemas.h"
#include "lwmsg/internal/schema_difference.h"
#include "lwmsg/internal/schema_text.h"
#include "runtime/archive_schema.h"
#include "tests/support/inventory.h"
#include "tests/support/memory_transport.h"
#include "tests/support/sample_service.h"
#include "tests/support/schema_text_parser.h"

namespace {

std::atomic<size_t> asked_for{0};

}  // namespace

[[gnu::noinline]] void* operator new(size_t size) {
  asked_for += size;
  void* const memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t /*size*/) noexcept {
  std::free(memory);
}

namespace lwmsg::test {
namespace {

using capnp::schema::Node;
using ::testing::HasSubstr;
using Nodes = capnp::List<Node>;

constexpr size_t kMiB = size_t{1} << 20;

class AmplificationTest : public InventoriedTest {
 protected:
  struct Outcome {
    Status status;
    size_t asked_for = 0;
  };

  // Of a schema that a peer says is Sample.
  static Outcome Compare(
      const std::function<void(capnp::schema::CodeGeneratorRequest::Builder)>& fill) {
    capnp::MallocMessageBuilder message;
    auto request = message.initRoot<capnp::schema::CodeGeneratorRequest>();
    fill(request);
    EXPECT_LT(message.sizeInWords() * sizeof(capnp::word), kMiB);
    const size_t before = asked_for;
    Outcome outcome;
    outcome.status =
        internal::CheckCompatible(sample::kSampleProtocol.schema(), request.asReader().getNodes());
    outcome.asked_for = asked_for - before;
    return outcome;
  }

  static void Interface(Node::Builder node, uint64_t param_struct) {
    node.setId(sample::kSampleProtocol.id);
    node.setDisplayName("x:Sample");
    auto method = node.initInterface().initMethods(1)[0];
    method.setName("echo");
    method.setParamStructType(param_struct);
    method.setResultStructType(param_struct);
  }

  // With that many fields, each a pointer to a struct.
  static capnp::List<capnp::schema::Field>::Builder Struct(Node::Builder node, uint64_t id,
                                                           uint16_t fields, uint64_t type) {
    node.setId(id);
    node.setDisplayName("x:S" + std::to_string(id));
    node.initStruct().setPointerCount(fields);
    auto list = node.getStruct().initFields(fields);
    for (uint16_t i = 0; i < fields; ++i) {
      list[i].setName("f" + std::to_string(i));
      list[i].setCodeOrder(i);
      auto slot = list[i].initSlot();
      slot.setOffset(i);
      slot.initType().initStruct().setTypeId(type);
      slot.initDefaultValue().initStruct();
    }
    return list;
  }

  // The type of each becomes one of its own.
  static void GiveArgumentsToEach(capnp::List<capnp::schema::Field>::Builder fields) {
    for (unsigned i = 0; i < fields.size(); ++i) {
      auto scope = fields[i].getSlot().getType().getStruct().initBrand().initScopes(1)[0];
      scope.setScopeId(100 + i);
      scope.initBind(0);
    }
  }
};

TEST_F(AmplificationTest, NameOfWhoMentionsManyTypes) {
  const auto outcome = Compare([](auto request) {
    auto nodes = request.initNodes(1);
    Interface(nodes[0], 2);
    nodes[0].setDisplayName("x:" + std::string(1000, 'n'));
    auto methods = nodes[0].getInterface().initMethods(5000);
    for (unsigned i = 0; i < methods.size(); ++i) methods[i].setName(std::to_string(i));
  });
  EXPECT_THAT(outcome.status.message(), HasSubstr("mention others too often"));
  EXPECT_LT(outcome.asked_for, 32 * kMiB);
}

// A generic of 1,000 fields that 1,000 others have, each with arguments of its own.
TEST_F(AmplificationTest, GenericTypeWithManyArguments) {
  const auto outcome = Compare([](auto request) {
    auto nodes = request.initNodes(4);
    Interface(nodes[0], 2);
    auto fields = Struct(nodes[1], 2, 1000, 3);
    GiveArgumentsToEach(fields);
    Struct(nodes[2], 3, 1000, 4);
    nodes[2].setIsGeneric(true);
    Struct(nodes[3], 4, 0, 0);
  });
  EXPECT_EQ(outcome.status.code(), StatusCode::kMalformed);
  EXPECT_THAT(outcome.status.message(), HasSubstr("too many members"));
  EXPECT_LT(outcome.asked_for, 32 * kMiB);
}

// What the loader makes for an argument is named after the generic type.
TEST_F(AmplificationTest, NameOfWhoHasManyArguments) {
  const auto outcome = Compare([](auto request) {
    auto nodes = request.initNodes(3);
    Interface(nodes[0], 2);
    auto brand = Struct(nodes[1], 2, 1, 3)[0].getSlot().getType().getStruct().initBrand();
    auto scope = brand.initScopes(1)[0];
    scope.setScopeId(3);
    for (auto binding : scope.initBind(1000)) binding.initType().initStruct().setTypeId(2);
    Struct(nodes[2], 3, 0, 0);
    nodes[2].setDisplayName("x:" + std::string(kMiB / 2, 'n'));
  });
  EXPECT_THAT(outcome.status.message(), HasSubstr("a name of 524290 bytes; at most 1024"));
  EXPECT_LT(outcome.asked_for, 32 * kMiB);
}

TEST_F(AmplificationTest, ParametersOfAGenericTypeWithManyArguments) {
  const auto outcome = Compare([](auto request) {
    auto nodes = request.initNodes(3);
    Interface(nodes[0], 2);
    auto fields = Struct(nodes[1], 2, 500, 3);
    GiveArgumentsToEach(fields);
    Struct(nodes[2], 3, 0, 0);
    nodes[2].setIsGeneric(true);
    nodes[2].initParameters(60000);
  });
  EXPECT_THAT(outcome.status.message(), HasSubstr("too many members"));
  EXPECT_LT(outcome.asked_for, 32 * kMiB);
}

TEST_F(AmplificationTest, SuperclassThatIsGenericAndLarge) {
  const auto outcome = Compare([](auto request) {
    auto nodes = request.initNodes(3);
    Interface(nodes[0], 2);
    auto bases = nodes[0].getInterface().initSuperclasses(64);
    for (unsigned i = 0; i < bases.size(); ++i) {
      bases[i].setId(3);
      auto scope = bases[i].initBrand().initScopes(1)[0];
      scope.setScopeId(100 + i);
      scope.initBind(0);
    }
    Struct(nodes[1], 2, 0, 0);
    nodes[2].setId(3);
    nodes[2].setDisplayName("x:G");
    nodes[2].setIsGeneric(true);
    auto methods = nodes[2].initInterface().initMethods(6000);
    for (unsigned i = 0; i < methods.size(); ++i) {
      methods[i].setName(std::to_string(i));
      methods[i].setCodeOrder(static_cast<uint16_t>(i));
      methods[i].setParamStructType(2);
      methods[i].setResultStructType(2);
    }
  });
  EXPECT_THAT(outcome.status.message(), HasSubstr("too many members"));
  EXPECT_LT(outcome.asked_for, 64 * kMiB);
}

TEST_F(AmplificationTest, GroupsThatMakeTheirStructGrow) {
  const auto outcome = Compare([](auto request) {
    auto nodes = request.initNodes(2000);
    Interface(nodes[0], 2);
    Struct(nodes[1], 2, 0, 0);
    nodes[1].initAnnotations(1)[0].initValue().initData(kMiB / 2);
    for (unsigned i = 2; i < nodes.size(); ++i) {
      Struct(nodes[i], 1 + i, 0, 0);
      nodes[i].setScopeId(2);
      nodes[i].getStruct().setIsGroup(true);
      nodes[i].getStruct().setDataWordCount(static_cast<uint16_t>(i));
    }
  });
  EXPECT_THAT(outcome.status.message(), HasSubstr("not of the size of its struct"));
  EXPECT_LT(outcome.asked_for, 32 * kMiB);
}

TEST_F(AmplificationTest, ManySuperclasses) {
  const auto outcome = Compare([](auto request) {
    auto nodes = request.initNodes(2);
    Interface(nodes[0], 2);
    auto bases = nodes[0].getInterface().initSuperclasses(65);
    for (auto base : bases) base.setId(7);
    Struct(nodes[1], 2, 0, 0);
  });
  EXPECT_THAT(outcome.status.message(), HasSubstr("Sample has 65 superclasses; at most 64"));
}

TEST_F(AmplificationTest, ManyTypesThatAreNotThere) {
  const auto outcome = Compare([](auto request) {
    auto nodes = request.initNodes(2);
    Interface(nodes[0], 2);
    auto fields = Struct(nodes[1], 2, 300, 3);
    for (unsigned i = 0; i < fields.size(); ++i) {
      fields[i].getSlot().getType().getStruct().setTypeId(1000 + i);
    }
  });
  EXPECT_THAT(outcome.status.message(), HasSubstr("more than 256 types that it does not have"));
}

TEST_F(AmplificationTest, DefaultsThatAreComparedForEachListOfArguments) {
  const auto outcome = Compare([](auto request) {
    auto nodes = request.initNodes(4);
    Interface(nodes[0], 2);
    auto fields = Struct(nodes[1], 2, 100, 3);
    GiveArgumentsToEach(fields);
    auto slot = Struct(nodes[2], 3, 1, 4)[0].getSlot();
    slot.initType().setData();
    slot.initDefaultValue().initData(kMiB / 2);
    nodes[2].setIsGeneric(true);
    Struct(nodes[3], 4, 0, 0);
  });
  EXPECT_THAT(outcome.status.message(), HasSubstr("too many members"));
  EXPECT_LT(outcome.asked_for, 32 * kMiB);
}

// What is kept to check a struct is kept once, not for each method of a file's schema; nor does the
// text name its fields at each.
TEST_F(AmplificationTest, MethodsOfAnArchiveWithTheSameLargeStruct) {
  constexpr uint16_t kMethods = 3000;
  capnp::MallocMessageBuilder message;
  auto header = message.initRoot<archive::Header>();
  auto nodes = header.initNodes(2);
  Interface(nodes[0], 2);
  auto methods = nodes[0].getInterface().initMethods(kMethods);
  for (uint16_t i = 0; i < kMethods; ++i) {
    methods[i].setName(std::to_string(i));
    methods[i].setCodeOrder(i);
    methods[i].setParamStructType(2);
    methods[i].setResultStructType(2);
  }
  Struct(nodes[1], 2, 1000, 2);
  const uint64_t id = nodes[0].getId();
  header.initInterfaces(1)[0].setId(id);
  const size_t before = asked_for;
  const auto schema = internal::ArchiveSchema::Load(header.asReader());
  ASSERT_TRUE(schema) << schema.error();
  for (uint16_t i = 0; i < kMethods; ++i) EXPECT_NE((*schema)->Find(id, i, i % 2 != 0), nullptr);
  EXPECT_LT(asked_for - before, 32 * kMiB);
  const std::string text = (*schema)->Text();
  EXPECT_TRUE(text.ends_with("...\n"));
  EXPECT_LT(text.size(), kMiB + 200'000);
}

// A type of eight arguments with eight each, four times over, of which the text says not all.
TEST_F(AmplificationTest, TextAboutATypeWithManyArguments) {
  std::string type = "Text";
  for (int depth = 0; depth < 4; ++depth) {
    std::string arguments = type;
    for (int i = 1; i < 8; ++i) arguments += ", " + type;
    type = "G(" + arguments + ")";
  }
  const std::string interface = "interface I @0xf000000000000001 ";
  const std::string generic = "struct G(A, B, C, D, E, F, H, J) { a @0 :A; } ";
  ParsedSchema ours(generic + interface + "{ m @0 (f :" + type + ") -> (); }");
  ParsedSchema theirs(interface + "{ m @0 (f :Text) -> (); }");
  const auto differences = internal::SchemaDifferences(ours.Interface("I"), theirs.Interface("I"));
  ASSERT_EQ(differences.size(), 1U);
  EXPECT_LT(differences[0].size(), 1000U);
  EXPECT_THAT(differences[0], HasSubstr("..."));
  EXPECT_LT(internal::DifferenceStatus(ours.Interface("I"), differences).message().size(), 2000U);
}

TEST_F(AmplificationTest, ComparisonEndsWithWhatIsReported) {
  std::string ours;
  std::string theirs;
  for (int i = 0; i < 50; ++i) {
    const std::string field = "f" + std::to_string(i) + " @" + std::to_string(i);
    ours += field + " :Text; ";
    theirs += field + " :Data; ";
  }
  const std::string interface = " interface I @0xf000000000000001 { m @0 S -> (); }";
  ParsedSchema here("struct S @0xf000000000000002 {" + ours + "}" + interface);
  ParsedSchema there("struct S @0xf000000000000002 {" + theirs + "}" + interface);
  const auto differences = internal::SchemaDifferences(here.Interface("I"), there.Interface("I"));
  EXPECT_EQ(differences.size(), 20U);
}

// Cap'n Proto copies also what the schema does not know, which here is 2^28 structs in 600 bytes:
// each of 28 has two pointers to the next.
TEST_F(AmplificationTest, PointersThatTheSchemaDoesNotKnow) {
  constexpr uint64_t kLevels = 28;
  auto message = OutgoingMessage::ForCall(sample::kSampleProtocol.id, 0);
  auto pointers = message.payload().initAsAnyStruct(0, 2).getPointerSection();
  auto levels = pointers[1].initAs<capnp::Data>(2 * kLevels * sizeof(uint64_t));
  std::memset(levels.begin(), 0xEE, levels.size());
  Frame frame = ToFrame(std::move(message));
  auto* words = reinterpret_cast<uint64_t*>(frame.words.begin());
  auto* const end = words + frame.words.size();
  auto* const first = std::find(words, end, 0xEEEEEEEEEEEEEEEE);
  ASSERT_EQ(end - first, 2 * kLevels);
  // A pointer: how far from its own end, and of a struct with two pointers
  // (capnproto.org/encoding.html).
  const auto to = [](int64_t distance) {
    return static_cast<uint64_t>(distance) << 2 | uint64_t{2} << 48;
  };
  const uint64_t list = uint64_t{1} | (uint64_t{2} | levels.size() << 3) << 32;
  auto* pointer = words;
  while (pointer != first && *pointer != (list | static_cast<uint64_t>(first - pointer - 1) << 2)) {
    ++pointer;
  }
  ASSERT_NE(pointer, first);
  *pointer = to(first - pointer - 1);
  for (uint64_t level = 0; level < kLevels; ++level) {
    const bool last = level + 1 == kLevels;
    first[2 * level] = last ? 0 : to(1);
    first[2 * level + 1] = last ? 0 : to(0);
  }
  auto received = IncomingMessage::Parse(std::move(frame), {});
  ASSERT_TRUE(received) << received.error();
  const Status status =
      received->CheckPayload(internal::PayloadTypeOf<sample::Sample::EchoParams>());
  EXPECT_EQ(status.code(), StatusCode::kMalformed);
  EXPECT_THAT(status.message(), HasSubstr("traversal limit"));
}

// A list of structs may stand as one of bytes, of which eight are a word for the reader's limit.
TEST_F(AmplificationTest, BytesThatStandForElementsInManyPlaces) {
  constexpr uint64_t kCount = 8;
  constexpr unsigned kBytes = 8000;
  using Collect = sample::Sample::CollectParams;
  capnp::MallocMessageBuilder builder(4096);
  auto params = builder.initRoot<wire::Envelope>().initCall().getParams().initAs<Collect>();
  auto items = params.initItems(kCount);
  capnp::toAny(items[0]).getPointerSection()[2].initAs<capnp::List<uint8_t>>(kBytes);
  Frame frame{capnp::messageToFlatArray(builder), {}};
  auto* words = reinterpret_cast<uint64_t*>(frame.words.begin());
  // As in MessageTest.ManyPointersToOneTargetCostNoMoreThanTheirLimit, but fewer and within that
  // limit.
  const uint64_t tag = kCount << 2 | uint64_t{3} << 48;
  auto* first = std::find(words, words + frame.words.size(), tag) + 3;
  for (uint64_t i = 1; i < kCount; ++i) first[3 * i] = *first - (3 * i << 2);
  auto received = IncomingMessage::Parse(std::move(frame), {});
  ASSERT_TRUE(received) << received.error();
  const Status status = received->CheckPayload(internal::PayloadTypeOf<Collect>());
  EXPECT_EQ(status.code(), StatusCode::kMalformed);
  EXPECT_THAT(status.message(), HasSubstr("more elements of lists"));
}

}  // namespace
}  // namespace lwmsg::test
