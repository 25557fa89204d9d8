#include "tests/conformance/target.h"

#include "tests/support/sample_service.h"

namespace lwmsg::test {

void CounterObject::Add(AddCall call) {
  call.results().setTotal(total += call->getAmount());
  call.Reply();
}

void Listener::Notify(NotifyCall call) {
  notified.push_back(call->getNumber());
  call.results().setNumber(2 * call->getNumber());
  call.Reply();
}

void Listener::Bring(BringCall call) {
  auto state = call.Resolve<State>(call->getState());
  if (!state) return call.Fail(state.error());
  brought = *state;
  call.results().setText(brought->text);
  call.Reply();
}

void Target::Ping(PingCall call) { call.Reply(); }

void Target::Foo(FooCall call) {
  call.results().setNumbers(call->getNumbers());
  call.results().setText(call->getText());
  call.Reply();
}

void Target::Whoami(WhoamiCall call) {
  call.results().setEuid(OrMinusOne(call.peer().euid()));
  call.results().setEgid(OrMinusOne(call.peer().egid()));
  call.Reply();
}

void Target::Open(OpenCall call) {
  const std::shared_ptr<State> state(new State{call->getText(), call->getNumber()},
                                     [this](State* gone) {
                                       delete gone;
                                       if (on_state_gone) on_state_gone();
                                     });
  Status named = call.results().setState(state);
  if (!named.ok()) return call.Fail(named);
  call.Reply();
}

void Target::ReadText(ReadTextCall call) {
  auto state = call.Resolve<State>(call->getState());
  if (!state) return call.Fail(state.error());
  call.results().setText((*state)->text);
  call.Reply();
}

void Target::ReadNumber(ReadNumberCall call) {
  auto state = call.Resolve<State>(call->getState());
  if (!state) return call.Fail(state.error());
  call.results().setNumber((*state)->number);
  call.Reply();
}

void Target::Close(CloseCall call) {
  Status closed = call.Unregister(call->getState());
  if (!closed.ok()) return call.Fail(closed);
  call.Reply();
}

void Target::Same(SameCall call) {
  Status named = call.results().setState(same_);
  if (!named.ok()) return call.Fail(named);
  call.Reply();
}

void Target::Maybe(MaybeCall call) {
  auto state = call->takeState();
  call.results().setNone(!state && state.error().code() == StatusCode::kNotFound);
  call.results().setState(Handle<conformance::State>());
  call.Reply();
}

void Target::Lend(LendCall call) {
  auto state = call->takeState();
  if (!state) {
    call.Fail(state.error());
    co_return;
  }
  auto bring = conformance::ListenerClient(call.channel()).Bring();
  bring->setState(*state);
  auto brought = co_await bring.Send();
  if (!brought) {
    call.Fail(brought.error());
    co_return;
  }
  call.results().setText(brought->getText());
  call.Reply();
}

void Target::CallBack(CallBackCall call) {
  auto object = call->takeListener();
  const conformance::ListenerClient listener(object ? object->channel() : call.channel());
  const uint32_t rounds = call->getRounds();
  uint32_t sum = 0;
  for (uint32_t round = 1; round <= rounds; ++round) {
    auto notify = listener.Notify();
    notify->setNumber(round);
    auto reply = co_await notify.Send();
    if (!reply) {
      call.Fail(reply.error());
      co_return;
    }
    sum += reply->getNumber();
  }
  call.results().setSum(sum);
  call.Reply();
}

void Target::ReadFile(ReadFileCall call) {
  auto file = call->takeFile();
  if (!file) return call.Fail(file.error());
  call.results().setContent(ReadAll(*file));
  call.Reply();
}

void Target::IgnoreFile(IgnoreFileCall call) { call.Reply(); }

void Target::Files(FilesCall call) {
  auto files = call->getFiles();
  auto back = call.results().initFiles(files.size());
  for (uint32_t i = 0; i < files.size(); ++i) {
    auto file = call.Take(files[i].getFile());
    if (!file) return call.Fail(file.error());
    call.Put(back[files.size() - 1 - i].getFile(), std::move(*file));
  }
  call.Reply();
}

void Target::Bogus(BogusCall call) {
  call.results().setNumber(call->getNumber());
  call.Reply();
}

void Target::Large(LargeCall call) {
  call.results().initData(call->getSize());
  call.Reply();
}

void Target::Fail(FailCall call) {
  call.Fail(StatusCodeFromWire(call->getCode()), call->getText());
}

void Target::MakeCounter(MakeCounterCall call) {
  Status named = call.results().setCounter(std::make_shared<CounterObject>());
  if (!named.ok()) return call.Fail(named);
  call.Reply();
}

void Target::Keep(KeepCall call) { on_keep(std::move(call)); }

void Target::Block(BlockCall call) { on_block(std::move(call)); }

void Target::Level(LevelCall call) { call.Reply(); }

void Target::Name(NameCall call) {
  auto data = call.session_data<CallerData>();
  if (!data) return call.Fail(StatusCode::kNotFound, "no session data");
  call.results().setName(data->name);
  call.Reply();
}

}  // namespace lwmsg::test
