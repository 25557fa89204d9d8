#include "tests/support/sample_service.h"

#include <kj/exception.h>
#include <uv.h>

#include <stdexcept>

#include "runtime/uv_loop.h"

namespace lwmsg::test {
namespace {

void TakeAll(capnp::List<sample::Item>::Reader items, SampleService::CollectCall& call,
             std::vector<OsHandle>& files) {
  for (auto item : items) {
    if (auto file = call.Take(item.getFile())) files.push_back(std::move(*file));
    TakeAll(item.getChildren(), call, files);
  }
}

}  // namespace

void SampleService::Echo(EchoCall call) {
  call.results().setText(call->getText());
  call.Reply();
}

void SampleService::Open(OpenCall call) {
  OsHandle file = OpenFile(call->getPath());
  if (!file.valid()) return call.Fail(StatusCode::kNotFound, "no such file");
  call.results().setFile(std::move(file));
  call.Reply();
}

void SampleService::Give(GiveCall call) {
  std::string content;
  if (auto file = call->takeFirst()) content += ReadAll(*file);
  if (auto file = call->takeSecond()) content += ReadAll(*file);
  call.results().setContent(content);
  call.Reply();
}

void SampleService::Nothing(NothingCall call) { call.Reply(); }

void SampleService::Log(LogCall call) {
  logged.emplace_back(call->getText());
  if (kept_logs) kept_logs->push_back(std::move(call));
}

void SampleService::Keep(KeepCall call) {
  kept.push_back(std::move(call));
  if (on_keep) on_keep();
}

void SampleService::Fail(FailCall call) {
  call.Fail(static_cast<StatusCode>(call->getCode()), call->getText());
}

void SampleService::Throwing(ThrowingCall call) {
  const std::string what = call->getWhat();
  if (what == "int") throw 42;
  if (what == "kj") kj::throwFatalException(KJ_EXCEPTION(FAILED, "accessor on bad data"));
  throw std::runtime_error(what);
}

void SampleService::Forget(ForgetCall /*call*/) {}

void SampleService::CallBack(CallBackCall call) {
  sample::ListenerClient listener(call.channel());
  const uint32_t rounds = call->getRounds();
  for (uint32_t round = 0; round < rounds; ++round) {
    auto notify = listener.Notify();
    notify->setRound(round);
    auto reply = co_await notify.Send();
    if (!reply) {
      call.Fail(reply.error());
      co_return;
    }
  }
  call.results().setRounds(rounds);
  call.Reply();
}

void SampleService::Whoami(WhoamiCall call) {
  call.results().setEuid(OrMinusOne(call.peer().euid()));
  call.results().setEgid(OrMinusOne(call.peer().egid()));
  call.results().setPid(OrMinusOne(call.peer().pid()));
  call.results().setText(call.peer().ToString());
  call.Reply();
}

void SampleService::Blob(BlobCall call) {
  call.results().initData(call->getSize());
  call.Reply();
}

void SampleService::Collect(CollectCall call) {
  std::vector<OsHandle> files;
  TakeAll(call->getItems(), call, files);
  auto items = call.results().initItems(static_cast<uint32_t>(files.size()));
  for (uint32_t i = 0; i < items.size(); ++i) call.Put(items[i].getFile(), std::move(files[i]));
  call.Reply();
}

void SampleService::Make(MakeCall call) {
  auto counter = std::make_shared<Counter>();
  made = counter;
  Status named = call.results().setObject(counter);
  if (!named.ok()) return call.Fail(std::move(named));
  call.Reply();
}

void SampleService::Use(UseCall call) {
  auto counter = call.Resolve<Counter>(call->getObject());
  if (!counter) return call.Fail(counter.error());
  call.results().setCount(++(*counter)->count);
  call.Reply();
}

void SampleService::Drop(DropCall call) {
  Status dropped = call.Unregister(call->getObject());
  if (!dropped.ok()) return call.Fail(std::move(dropped));
  call.Reply();
}

void SampleService::Count(CountCall call) {
  const uint32_t to = call->getTo();
  for (uint32_t number = call->getFrom(); number < to; ++number) {
    if (!co_await call.Ready()) co_return;
    call.item().setNumber(number);
    Status sent = call.Send();
    if (!sent.ok()) {
      call.Fail(sent);
      co_return;
    }
  }
  call.Finish();
}

void SampleService::Watch(WatchCall call) { watching.push_back(std::move(call)); }

void SampleService::Block(BlockCall call) { on_block(std::move(call)); }

void SampleService::Hurry(HurryCall call) { hurried.push_back(std::move(call)); }

void SampleService::CallObject(CallObjectCall call) {
  auto object = call->takeListener();
  if (!object) {
    call.Fail(object.error());
    co_return;
  }
  sample::ListenerClient listener(*object);
  const uint32_t rounds = call->getRounds();
  for (uint32_t round = 0; round < rounds; ++round) {
    auto notify = listener.Notify();
    notify->setRound(round);
    auto reply = co_await notify.Send();
    if (!reply) {
      call.Fail(reply.error());
      co_return;
    }
  }
  call.results().setRounds(rounds);
  call.Reply();
}

void SampleService::Me(MeCall call) {
  auto caller = call.session_data<Caller>();
  if (!caller) return call.Fail(StatusCode::kNotFound, "no session data");
  call.results().setName(caller->name);
  call.Reply();
}

void SampleService::Lend(LendCall call) {
  auto process = call->takeProcess();
  if (!process) return call.Fail(process.error());
  call.results().setProcess(std::move(*process));
  call.Reply();
}

void SampleService::Share(ShareCall call) {
  auto memory = call->takeMemory();
  if (!memory) return call.Fail(memory.error());
  uint64_t sum = 0;
  for (const std::byte byte : memory->bytes()) sum += std::to_integer<uint64_t>(byte);
  call.results().setSum(sum);
  call.results().setConstant(memory->constant());
  if (call->getKeep()) shared.push_back(std::move(*memory));
  call.Reply();
}

void SampleService::Render(RenderCall call) {
  if (!pool) {
    auto created = SharedMemoryPool::Create(kPlaceBytes, 2);
    if (!created) return call.Fail(created.error());
    pool = std::move(*created);
  }
  auto memory = call->getOwn() ? WritableMemory::Create(call->getSize()) : pool->Take();
  if (!memory) return call.Fail(memory.error());
  memory->Truncate(call->getSize());
  size_t i = 0;
  for (std::byte& byte : memory->bytes()) byte = static_cast<std::byte>(i++);
  call.results().setMemory(std::move(*memory));
  call.Reply();
}

void SampleService::Examine(ExamineCall call) { call.Reply(); }

Counter::~Counter() {
  if (on_end) on_end();
}

void Counter::Add(AddCall call) {
  count += call->getAmount();
  call.results().setCount(count);
  call.Reply();
}

void Counter::Object(ObjectCall call) {
  Status named = call.results().setObject(shared_from_this());
  if (!named.ok()) return call.Fail(std::move(named));
  call.Reply();
}

void ListenerService::Notify(NotifyCall call) {
  ++count;
  call.results().setRound(call->getRound());
  call.Reply();
}

int64_t OrMinusOne(std::optional<uint32_t> value) { return value ? int64_t{*value} : -1; }

bool RunLoopUntil(Loop& loop, const std::function<bool()>& done) {
  bool late = false;
  Timer limit(loop.impl(), [&late] { late = true; });
  limit.ArmAfter(std::chrono::seconds(20));
  while (!done() && !late) uv_run(loop.uv(), UV_RUN_ONCE);
  return done();
}

}  // namespace lwmsg::test
