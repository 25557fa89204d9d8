#include "tests/stress/stress_service.h"

#include <string>
#include <utility>

#include "tests/support/system.h"

namespace lwmsg::test {

void Counted::Add(AddCall call) {
  total_ += call->getAmount();
  call.results().setMaker(maker_);
  call.results().setTotal(total_);
  call.Reply();
}

void StressService::Run(RunCall call) {
  executed_(call->getId());
  call.results().setId(call->getId());
  call.Reply();
}

void StressService::Make(MakeCall call) {
  executed_(call->getId());
  Status named = call.results().setObject(std::make_shared<Counted>(call->getId()));
  if (!named.ok()) return call.Fail(std::move(named));
  call.Reply();
}

void StressService::Block(BlockCall call) {
  executed_(call->getId());
  call.results().setId(call->getId());
  call.Reply();
}

void StressService::Give(GiveCall call) {
  executed_(call->getId());
  auto file = call->takeFile();
  if (!file) return call.Fail(file.error());
  call.results().setFile(std::move(*file));
  call.Reply();
}

void StressService::Keep(KeepCall call) {
  const uint64_t id = call->getId();
  executed_(id);
  auto& kept = kept_.emplace(id, std::move(call)).first->second;
  kept.OnCancel([this, id] {
    // In a local: what is cancelled answers as it goes.
    auto gone = kept_.extract(id);
  });
}

void StressService::Count(CountCall call) {
  const uint32_t to = call->getTo();
  for (uint32_t number = 0; number < to; ++number) {
    if (!co_await call.Ready()) co_return;
    call.item().setNumber(number);
    call.item().setFile(OpenNull());
    if (!call.Send().ok()) co_return;
  }
  call.Finish();
}

void StressService::CallBack(CallBackCall call) {
  stress::CallerClient caller(call.channel());
  const uint32_t rounds = call->getRounds();
  const uint32_t depth = call->getDepth();
  uint32_t calls = 0;
  for (uint32_t round = 0; round < rounds; ++round) {
    auto notify = caller.Notify();
    notify->setDepth(depth);
    auto reply = co_await notify.Send();
    if (!reply) {
      call.Fail(reply.error());
      co_return;
    }
    calls += reply->getCalls();
  }
  call.results().setCalls(calls);
  call.Reply();
}

void BlockingCaller::Notify(NotifyCall call) {
  uint32_t calls = 1;
  if (call->getDepth() != 0) {
    auto deeper = stress::StressClient(call.channel()).CallBack();
    deeper->setRounds(1);
    deeper->setDepth(call->getDepth() - 1);
    auto reply = deeper.Sync();
    if (!reply) return call.Fail(reply.error());
    calls += reply->getCalls();
  }
  call.results().setCalls(calls);
  call.Reply();
}

void LoopCaller::Notify(NotifyCall call) {
  uint32_t calls = 1;
  if (call->getDepth() != 0) {
    auto deeper = stress::StressClient(call.channel()).CallBack();
    deeper->setRounds(1);
    deeper->setDepth(call->getDepth() - 1);
    auto reply = co_await deeper.Send();
    if (!reply) {
      call.Fail(reply.error());
      co_return;
    }
    calls += reply->getCalls();
  }
  call.results().setCalls(calls);
  call.Reply();
}

}  // namespace lwmsg::test
