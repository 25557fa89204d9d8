// What can be said of generated code without an association: types, constants, tables, and the
// owners of OS handles on messages in memory.

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

// In angle brackets, to get what was generated now and not the golden files.
#include <golden/docs.lwmsg.h>
#include <golden/generics.lwmsg.h>
#include <golden/inherit.lwmsg.h>
#include <golden/names.lwmsg.h>
#include <golden/sub/nested.lwmsg.h>
#include <golden/sub/types.lwmsg.h>
#include <golden/tty.lwmsg.h>

#include "lwmsg/pair.h"

namespace {

// An open file of this process: one end of a pair.
lwmsg::OsHandle MakeHandle() {
  auto pair = lwmsg::MakePair();
  EXPECT_TRUE(pair);
  return pair ? std::move(pair->first) : lwmsg::OsHandle();
}

// A message that is filled as the params or results P, and then read as its receiver would.
template <typename P>
class Filled {
 public:
  Filled()
      : message_(lwmsg::OutgoingMessage::ForReply(0, 0)),
        builder_(message_.payload().initAs<typename P::Schema>(), message_.handles()) {}

  typename P::Builder* operator->() { return &builder_; }
  lwmsg::OutgoingHandles& outgoing() { return message_.handles(); }
  typename P::Reader Read() {
    for (lwmsg::OsHandle& handle : message_.handles().all()) received_.push_back(std::move(handle));
    incoming_.emplace(lwmsg::internal::ReceivedHandles(std::move(received_)));
    return typename P::Reader(message_.payload().asReader().template getAs<typename P::Schema>(),
                              *incoming_);
  }

 private:
  lwmsg::OutgoingMessage message_;
  typename P::Builder builder_;
  std::vector<lwmsg::OsHandle> received_;
  std::optional<lwmsg::IncomingHandles> incoming_;
};

std::vector<std::string> BaseNames(const lwmsg::Protocol& protocol) {
  std::vector<std::string> names;
  for (const lwmsg::Protocol* base : protocol.bases) names.push_back(base->name);
  return names;
}

TEST(GeneratedProtocol, SaysWhatTheSchemaSays) {
  EXPECT_EQ(tty::kTtyBrokerProtocol.id, capnp::typeId<tty::TtyBroker>());
  EXPECT_STREQ(tty::kTtyBrokerProtocol.name, "TtyBroker");
  EXPECT_EQ(tty::kTtyBrokerProtocol.version, 1u);
  ASSERT_EQ(tty::kTtyBrokerProtocol.methods.size(), 4u);
  EXPECT_STREQ(tty::kTtyBrokerProtocol.methods[0].name, "open");
  EXPECT_EQ(tty::kTtyBrokerProtocol.methods[0].kind, lwmsg::MethodKind::kCall);
  EXPECT_EQ(tty::kTtyBrokerProtocol.methods[1].kind, lwmsg::MethodKind::kOneWay);
  EXPECT_TRUE(tty::kTtyBrokerProtocol.bases.empty());
}

TEST(GeneratedProtocol, HasTheNamesOfTheSchemaNotThoseOfCpp) {
  EXPECT_STREQ(kOtherProtocol.name, "Renamed");
  EXPECT_STREQ(kWordsProtocol.methods[16].name, "renamed");
  EXPECT_STREQ(sub::nested::kOuterInnerInnermostProtocol.name, "Outer.Inner.Innermost");
  EXPECT_STREQ(sub::nested::kHolderHeldProtocol.name, "Holder.Held");
}

TEST(GeneratedProtocol, HasOnlyItsOwnMethods) {
  EXPECT_EQ(inherit::kFileProtocol.methods.size(), 1u);
  EXPECT_EQ(inherit::kAliasProtocol.methods.size(), 0u);
  EXPECT_EQ(kDispatchProtocol.methods.size(), 0u);
}

TEST(GeneratedProtocol, ListsEachBaseOnce) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(BaseNames(inherit::kReaderProtocol), Names({"Node"}));
  EXPECT_EQ(BaseNames(inherit::kFileProtocol), Names({"Reader", "Writer", "Marker", "Node"}));
  EXPECT_EQ(BaseNames(inherit::kAliasProtocol),
            Names({"File", "Reader", "Writer", "Marker", "Node"}));
  EXPECT_EQ(inherit::kAliasProtocol.bases[4], &base::v1::kNodeProtocol);
}

TEST(GeneratedProtocol, HashesDiffer) {
  std::set<uint64_t> hashes;
  const std::vector<const lwmsg::Protocol*> all = {
      &tty::kTtyBrokerProtocol,   &kWordsProtocol,           &kCallProtocol,
      &kServiceProtocol,          &kDispatchProtocol,        &base::v1::kNodeProtocol,
      &base::v1::kMarkerProtocol, &inherit::kReaderProtocol, &gen::kGenericsProtocol};
  for (const lwmsg::Protocol* protocol : all) hashes.insert(protocol->schema_hash);
  EXPECT_EQ(hashes.size(), all.size());
}

TEST(GeneratedProtocol, KnowsThePayloadTypes) {
  const lwmsg::MethodInfo& open = tty::kTtyBrokerProtocol.methods[0];
  using Params = tty::TtyBroker::OpenParams;
  EXPECT_EQ(&open.params(), &lwmsg::internal::PayloadTypeOf<Params>());
  // Those of generic types are made when they are first used, so each must be.
  for (const lwmsg::MethodInfo& method : gen::kGenericsProtocol.methods) {
    EXPECT_NE(&method.params(), nullptr);
    EXPECT_NE(&method.results(), nullptr);
  }
}

// Types.
using Generics = gen::GenericsService;
template <typename T>
using Plain = lwmsg::Plain<T>;
using lwmsg::schema::OsHandle;

static_assert(std::is_same_v<Generics::NamedCall,
                             lwmsg::Call<gen::GenericsNamedParams, gen::GenericsNamedResults>>);
static_assert(std::is_same_v<Generics::BoxCall,
                             lwmsg::Call<gen::GenericsBoxParams, Plain<gen::Box<capnp::Text>>>>);
static_assert(
    std::is_same_v<gen::GenericsInnerParams::Schema, gen::Box<capnp::Text>::Inner<OsHandle>>);
static_assert(
    std::is_same_v<Generics::OpenCall, lwmsg::Call<Plain<gen::Box<>>, Plain<gen::Box<>::Plain>>>);
static_assert(
    std::is_same_v<Generics::HandleCall,
                   lwmsg::Call<Plain<lwmsg::schema::Handle<gen::Object>>, Plain<OsHandle>>>);
static_assert(std::is_same_v<tty::TtyBrokerService::LogCall,
                             lwmsg::OneWayCall<Plain<tty::TtyBroker::LogParams>>>);
static_assert(std::is_same_v<tty::TtyBrokerClient::LogRequest,
                             lwmsg::OneWayRequest<Plain<tty::TtyBroker::LogParams>>>);
static_assert(std::is_same_v<inherit::AliasService::LockCall,
                             lwmsg::Call<inherit::FileLockParams, inherit::FileLockResults>>);
static_assert(std::is_same_v<inherit::AliasService::OpenCall, base::v1::NodeService::OpenCall>);
static_assert(std::is_same_v<inherit::AliasClient::OpenRequest, base::v1::NodeClient::OpenRequest>);
static_assert(std::is_same_v<sub::nested::OuterService::MoveCall,
                             lwmsg::Call<Plain<sub::Point>, Plain<sub::Point>>>);
static_assert(std::is_same_v<OtherUseItParams::Schema, Other::OtherArguments>);

TEST(GeneratedClient, IsMadeFromAChannelAndMakesRequests) {
  tty::TtyBrokerClient client{lwmsg::Channel()};
  auto open = client.Open();
  open->setName("ttyS0");
  EXPECT_EQ(open->getName().asReader(), "ttyS0");
  // The channel goes nowhere.
  EXPECT_EQ(open.Sync().error().code(), lwmsg::StatusCode::kUnavailable);
  EXPECT_EQ(client.Log().Send().code(), lwmsg::StatusCode::kUnavailable);

  inherit::FileClient file{lwmsg::Channel()};
  EXPECT_EQ(file.Stat().Sync().error().code(), lwmsg::StatusCode::kUnavailable);
}

TEST(GeneratedHandles, PassOwners) {
  Filled<tty::TtyBrokerGiveParams> give;
  lwmsg::OsHandle tty = MakeHandle();
  lwmsg::OsHandle log = MakeHandle();
  const auto tty_number = tty.get();
  const auto log_number = log.get();
  give->setLog(std::move(log));
  give->setTty(std::move(tty));
  auto reader = give.Read();
  auto taken = reader.takeTty();
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->get(), tty_number);
  EXPECT_EQ(reader.takeTty().error().code(), lwmsg::StatusCode::kFailedPrecondition);
  EXPECT_EQ(reader.takeLog()->get(), log_number);
}

TEST(GeneratedHandles, AreNotFoundWhereNoneWasSet) {
  Filled<tty::TtyBrokerGiveParams> give;
  EXPECT_EQ(give.Read().takeTty().error().code(), lwmsg::StatusCode::kNotFound);
}

TEST(GeneratedHandles, SetTwiceReplaceTheEarlierOne) {
  Filled<tty::TtyBrokerGiveParams> give;
  give->setTty(MakeHandle());
  give->setTty(MakeHandle());
  EXPECT_EQ(give.outgoing().size(), 1u);
  EXPECT_TRUE(give.Read().takeTty());
}

TEST(GeneratedHandles, InAUnionAreThereOnlyIfSelected) {
  Filled<gen::GenericsNamedParams> source;
  source->setSocket(MakeHandle());
  auto reader = source.Read();
  EXPECT_TRUE(reader.isSocket());
  EXPECT_EQ(reader.takeFile().error().code(), lwmsg::StatusCode::kNotFound);
  EXPECT_TRUE(reader.takeSocket());
}

TEST(GeneratedHandles, InAUnionSelectTheirMember) {
  Filled<gen::GenericsNamedParams> source;
  source->setNothing();
  source->setFile(MakeHandle());
  source->setFile(MakeHandle());
  EXPECT_EQ(source.outgoing().size(), 1u);
  EXPECT_TRUE(source.Read().takeFile());
}

TEST(GeneratedHandles, AreFoundInGenericStructs) {
  Filled<gen::GenericsBoxParams> box;
  box->setValue(MakeHandle());
  EXPECT_EQ(box->getCount(), 1u);
  EXPECT_TRUE(box.Read().takeValue());

  Filled<gen::GenericsInnerParams> inner;
  inner->setLeft("left");
  inner->setRight(MakeHandle());
  EXPECT_TRUE(inner.Read().takeRight());

  Filled<gen::GenericsPlainParams> plain;
  plain->setValue(MakeHandle());
  EXPECT_TRUE(plain.Read().takeValue());
}

TEST(GeneratedHandles, HaveTheNamesThatAccessorsHave) {
  Filled<WordsAlteredParams> altered;
  altered->setFresh(MakeHandle());
  EXPECT_TRUE(altered.Read().takeFresh());

  Filled<WordsDeleteParams> deletion;
  deletion->setClass(MakeHandle());
  deletion->setOperator("x");
  EXPECT_TRUE(deletion.Read().takeClass());
}

// Services.

class AliasFile : public inherit::AliasService {
  void Stat(StatCall) override {}
  void Open(OpenCall) override {}
  void Read(ReadCall) override {}
  void Write(WriteCall) override {}
  void Sync(SyncCall) override {}
  void Lock(LockCall) override {}
};

TEST(GeneratedService, IsServedUnderEachInterfaceThatItExtends) {
  AliasFile file;
  lwmsg::ServiceTable table;
  ASSERT_TRUE(table.Add(file).ok());
  for (uint64_t id :
       {inherit::kAliasProtocol.id, inherit::kFileProtocol.id, inherit::kReaderProtocol.id,
        inherit::kWriterProtocol.id, base::v1::kNodeProtocol.id, base::v1::kMarkerProtocol.id}) {
    const lwmsg::ServiceTable::Entry* entry = table.Find(id);
    ASSERT_NE(entry, nullptr);
    EXPECT_EQ(entry->protocol->id, id);
    EXPECT_EQ(entry->service, &file);
  }
}

// With methods of names that the framework uses too.
class AllWords : public WordsService {
  void Delete(DeleteCall) override {}
  void New(NewCall) override {}
  void Class(ClassCall) override {}
  void Operator(OperatorCall) override {}
  void Dispatch(DispatchCall) override {}
  void Protocol(ProtocolCall) override {}
  void Call(CallCall) override {}
  void Client(ClientCall) override {}
  void Service(ServiceCall) override {}
  void Request(RequestCall) override {}
  void Channel(ChannelCall) override {}
  void WordsProtocol(WordsProtocolCall) override {}
  void Reply(ReplyCall) override {}
  void Struct(StructCall) override {}
  void Interface(InterfaceCall) override {}
  void Union(UnionCall) override {}
  void Altered(AlteredCall) override {}
};

TEST(GeneratedService, MayHaveMethodsWithTheNamesOfTheFramework) {
  AllWords words;
  EXPECT_EQ(&static_cast<lwmsg::Service&>(words).protocol(), &kWordsProtocol);
}

class NoMethods : public DispatchService {};

TEST(GeneratedService, MayHaveNoMethods) {
  NoMethods service;
  EXPECT_EQ(&service.protocol(), &kDispatchProtocol);
}

}  // namespace
