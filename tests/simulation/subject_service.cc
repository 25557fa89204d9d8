#include "tests/simulation/subject_service.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace lwmsg::test {

void Item::Add(AddCall call) {
  count += call->getAmount();
  call.results().setCount(count);
  call.Reply();
}

void SubjectService::Came(const Token& peer, uint64_t number) {
  ++calls_;
  // Of nobody: a stray frame.
  if (number >> 32 == 0) return;
  uint64_t& last = last_numbers_[{peer.label().value_or(""), number >> 32}];
  simulation_.Expect(last < number, "the calls of one caller come in order");
  last = number;
}

void SubjectService::Echo(EchoCall call) {
  Came(call.peer(), call->getNumber());
  call.results().setNumber(call->getNumber());
  call.results().setText(call->getText());
  call.Reply();
}

void SubjectService::Late(LateCall call) { Decide(std::move(call)); }

void SubjectService::Hurry(HurryCall call) { Decide(std::move(call)); }

template <typename AnyCall>
void SubjectService::Decide(AnyCall call) {
  const uint64_t number = call->getNumber();
  Came(call.peer(), number);
  const auto decision = static_cast<Decision>(simulation_.Random(5));
  decisions_[number] = decision;
  call.results().setNumber(number);
  if (decision == Decision::kThrow) throw std::runtime_error("thrown");
  auto kept = std::make_shared<AnyCall>(std::move(call));
  auto answer = [decision, kept, number] {
    if (decision == Decision::kReply) kept->Reply();
    if (decision == Decision::kFail) kept->Fail(StatusCode::kNotFound, std::to_string(number));
    if (decision == Decision::kDrop) auto gone = std::move(*kept);
  };
  if (decision == Decision::kDropWhenCancelled) {
    // Nobody else has it: without a cancel it is kept.
    AnyCall& waiting = *kept;
    return waiting.OnCancel([kept]() mutable { kept.reset(); });
  }
  const uint64_t when = simulation_.Random(3);
  if (when == 0) return answer();
  if (when == 1) return simulation_.Soon(answer);
  simulation_.After(std::chrono::milliseconds(simulation_.Random(20)), answer);
}

void SubjectService::Pass(PassCall call) {
  Came(call.peer(), call->getNumber());
  auto file = call->takeFile();
  if (!file) return call.Fail(file.error());
  simulation_.Expect(simulation_.NumberOf(*file) != 0, "what was passed is open");
  call.results().setNumber(call->getNumber());
  call.results().setFile(std::move(*file));
  call.Reply();
}

void SubjectService::Note(NoteCall call) {
  Came(call.peer(), call->getNumber());
  if (!keeps_notes_) return;
  most_notes_ = std::max(most_notes_, ++notes_);
  auto kept = std::make_shared<NoteCall>(std::move(call));
  simulation_.Soon([this, kept]() mutable {
    --notes_;
    kept.reset();
  });
}

void SubjectService::Count(CountCall call) {
  Came(call.peer(), call->getNumber());
  const uint32_t to = call->getTo();
  for (uint32_t number = 0; number < to; ++number) {
    // Some ask for room only when they are told that there is none.
    const bool asks = simulation_.OneIn(2);
    if (asks && !co_await call.Ready()) co_return;
    call.item().setNumber(number);
    if (simulation_.OneIn(8)) call.item().setFile(simulation_.MakeHandle());
    Status sent = call.Send();
    if (!asks && sent.code() == StatusCode::kResourceExhausted) {
      if (!co_await call.Ready()) co_return;
      sent = call.Send();
    }
    // An item may not be sent because of its file.
    if (!sent.ok()) {
      call.Fail(sent);
      co_return;
    }
  }
  call.Finish();
}

void SubjectService::Make(MakeCall call) {
  Came(call.peer(), call->getNumber());
  Status named = call.results().setItem(std::make_shared<Item>(items_alive_));
  if (!named.ok()) return call.Fail(named);
  call.Reply();
}

void SubjectService::Use(UseCall call) {
  Came(call.peer(), call->getNumber());
  auto item = call.Resolve<Item>(call->getItem());
  if (!item) return call.Fail(item.error());
  call.results().setCount(++(*item)->count);
  call.Reply();
}

void SubjectService::Drop(DropCall call) {
  Came(call.peer(), call->getNumber());
  Status dropped = call.Unregister(call->getItem());
  if (!dropped.ok()) return call.Fail(dropped);
  call.Reply();
}

void SubjectService::CallBack(CallBackCall call) {
  Came(call.peer(), call->getNumber());
  subject::ListenerClient listener(call.channel());
  const uint32_t rounds = call->getRounds();
  for (uint32_t round = 0; round < rounds; ++round) {
    auto notify = listener.Notify();
    notify->setRound(round);
    auto reply = co_await notify.Send();
    if (!reply) {
      call.Fail(reply.error());
      co_return;
    }
    const bool own = !trusts_ || reply->getRound() == round;
    simulation_.Expect(own, "a listener answers the call that it got");
  }
  call.results().setRounds(rounds);
  call.Reply();
}

void SubjectService::Block(BlockCall call) {
  // Not in order with the others: it runs on a thread.
  call.results().setNumber(call->getNumber());
  if (simulation_.OneIn(4)) return call.Fail(StatusCode::kNotFound, "blocked");
  call.Reply();
}

void ListenerService::Notify(NotifyCall call) {
  call.results().setRound(call->getRound());
  call.Reply();
}

}  // namespace lwmsg::test
