#include "tests/simulation/caller.h"

#include <utility>

namespace lwmsg::test {
namespace {

// Distinct callers have distinct upper halves.
uint64_t NewCaller(Simulation& simulation) { return (1 + simulation.Random(1U << 30)) << 32; }

bool IsReasonFor(StatusCode code, Decision decision) {
  switch (code) {
    case StatusCode::kOk:
      return decision == Decision::kReply;
    case StatusCode::kNotFound:
      return decision == Decision::kFail;
    case StatusCode::kInternal:
      return decision == Decision::kThrow;
    case StatusCode::kAborted:
      return decision == Decision::kDrop;
    default:
      return true;
  }
}

}  // namespace

Caller::Caller(Simulation& simulation, Channel channel, SubjectService& service,
               std::vector<Act> acts)
    : simulation_(simulation),
      subject_(std::move(channel)),
      service_(service),
      acts_(std::move(acts)),
      first_number_(NewCaller(simulation)) {}

std::vector<Caller::Act> Caller::All() {
  return {Act::kEcho, Act::kLarge, Act::kLate,   Act::kHurry,    Act::kPass,
          Act::kNote, Act::kCount, Act::kObject, Act::kCallBack, Act::kBlock};
}

void Caller::Plan(size_t count, std::chrono::milliseconds time) {
  for (size_t i = 0; i < count; ++i) {
    if (simulation_.OneIn(2)) {
      simulation_.Soon([this] { DoOne(); });
    } else {
      const auto most = static_cast<uint64_t>(time.count()) + 1;
      simulation_.After(std::chrono::milliseconds(simulation_.Random(most)), [this] { DoOne(); });
    }
  }
}

uint64_t Caller::NextNumber() { return first_number_ + ++count_; }

void Caller::Ended(const Status& status) {
  ++ended_;
  if (status.ok()) {
    ++good_;
  } else {
    errors_.insert(status.code());
  }
  // Not for ever: a call that cannot be made ends at once.
  if (again_ != 0 && simulation_.OneIn(6)) {
    --again_;
    DoOne();
  }
}

template <typename Request, typename Check>
void Caller::Send(Request request, Check check) {
  if (simulation_.OneIn(3)) {
    request.set_timeout(std::chrono::milliseconds(1 + simulation_.Random(15)));
  }
  ++started_;
  PendingCall call = request.Send([this, check = std::move(check)](auto reply) mutable {
    Ended(reply ? Status() : reply.error());
    check(reply);
  });
  if (simulation_.OneIn(5)) simulation_.Soon([call] { call.Cancel(); });
}

void Caller::DoOne() {
  switch (acts_[simulation_.Random(acts_.size())]) {
    case Act::kEcho:
    case Act::kLarge: {
      auto echo = subject_.Echo();
      const uint64_t number = NextNumber();
      echo->setNumber(number);
      const std::string text(simulation_.OneIn(4) ? simulation_.Random(6000) : 20, 'x');
      echo->setText(text);
      return Send(std::move(echo), [this, number, text](auto& reply) {
        if (!reply) return;
        Expect(reply->getNumber() == number && reply->getText() == text,
               "an echo is that of its own call");
      });
    }
    case Act::kLate:
      return Late(subject_.Late());
    case Act::kHurry:
      return Late(subject_.Hurry());
    case Act::kPass:
      return Pass();
    case Act::kNote: {
      auto note = subject_.Note();
      note->setNumber(NextNumber());
      return static_cast<void>(note.Send());
    }
    case Act::kCount:
      return Count();
    case Act::kObject:
      return UseObject();
    case Act::kCallBack: {
      auto call = subject_.CallBack();
      call->setNumber(NextNumber());
      call->setRounds(static_cast<uint32_t>(simulation_.Random(4)));
      return Send(std::move(call), [](auto&) {});
    }
    case Act::kBlock: {
      auto call = subject_.Block();
      const uint64_t number = NextNumber();
      call->setNumber(number);
      return Send(std::move(call), [this, number](auto& reply) {
        if (reply) Expect(reply->getNumber() == number, "a thread answers its call");
      });
    }
  }
}

template <typename Request>
void Caller::Late(Request request) {
  const uint64_t number = NextNumber();
  request->setNumber(number);
  Send(std::move(request), [this, number](auto& reply) {
    const auto decision = service_.decisions().find(number);
    const StatusCode code = reply ? StatusCode::kOk : reply.error().code();
    late_[number] = code;
    if (decision == service_.decisions().end()) {
      Expect(!reply, "what never came has no reply");
    } else {
      Expect(IsReasonFor(code, decision->second), "the answer is what was decided");
    }
    if (reply) Expect(reply->getNumber() == number, "a reply is that of its own call");
  });
}

void Caller::Pass() {
  auto pass = subject_.Pass();
  pass->setNumber(NextNumber());
  OsHandle file = simulation_.MakeHandle();
  const size_t number = simulation_.NumberOf(file);
  pass->setFile(std::move(file));
  Send(std::move(pass), [this, number](auto& reply) {
    if (!reply) return;
    auto back = reply->takeFile();
    Expect(back && simulation_.NumberOf(*back) == number, "the same file comes back");
  });
}

void Caller::Count() {
  auto count = subject_.Count();
  auto reading = std::make_shared<Reading>();
  reading->to = static_cast<uint32_t>(simulation_.Random(12));
  count->setNumber(NextNumber());
  count->setTo(reading->to);
  if (simulation_.OneIn(4)) {
    count.set_timeout(std::chrono::milliseconds(1 + simulation_.Random(10)));
  }
  ++started_;
  ++open_streams_;
  reading->items = std::make_unique<Items>(count.Start());
  Read(reading);
}

void Caller::Read(const std::shared_ptr<Reading>& reading) {
  if (simulation_.OneIn(20)) {
    // Gives it up.
    ++ended_;
    --open_streams_;
    return reading->items.reset();
  }
  reading->items->Next([this, reading](Items::Item item) {
    if (!item || !*item) {
      if (item) Expect(reading->next == reading->to, "all items of a stream came");
      --open_streams_;
      return Ended(item ? Status() : item.error());
    }
    // Those that could not be sent are missing.
    Expect((*item)->getNumber() >= reading->next, "items come in order");
    reading->next = (*item)->getNumber() + 1;
    if (auto file = (*item)->takeFile()) {
      Expect(simulation_.NumberOf(*file) != 0, "an item's file is open");
    }
    // Reads slowly, and not inside itself.
    simulation_.Soon([this, reading] { Read(reading); });
  });
}

void Caller::UseObject() {
  if (items_.empty() || simulation_.OneIn(3)) {
    auto make = subject_.Make();
    make->setNumber(NextNumber());
    return Send(std::move(make), [this](auto& reply) {
      if (!reply) return;
      auto item = reply->takeItem();
      Expect(item.has_value(), "an object's name comes with the reply");
      if (item) items_.push_back(std::move(*item));
    });
  }
  const size_t chosen = simulation_.Random(items_.size());
  const Handle<subject::Item> item = items_[chosen];
  switch (simulation_.Random(4)) {
    case 0:
      items_.erase(items_.begin() + static_cast<ptrdiff_t>(chosen));
      return;
    case 1: {
      auto use = subject_.Use();
      use->setNumber(NextNumber());
      use->setItem(item);
      return Send(std::move(use), [](auto&) {});
    }
    case 2: {
      auto drop = subject_.Drop();
      drop->setNumber(NextNumber());
      drop->setItem(item);
      return Send(std::move(drop), [](auto&) {});
    }
    default: {
      auto add = subject::ItemClient(item).Add();
      add->setAmount(1);
      return Send(std::move(add), [](auto&) {});
    }
  }
}

}  // namespace lwmsg::test
