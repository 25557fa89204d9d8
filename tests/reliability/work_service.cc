#include "tests/reliability/work_service.h"

#include <utility>

namespace lwmsg::test {
namespace {

int64_t OrMinusOne(std::optional<uint32_t> value) { return value ? int64_t{*value} : -1; }

}  // namespace

void WorkService::Count(CountCall call) {
  const uint64_t number = call->getNumber();
  call.results().setNumber(number);
  if (call->getClient() != 0) {
    Counted& counted = counted_[call->getClient()];
    if (number != counted.last + 1) ++counted.strange;
    counted.last = number;
    call.results().setStrange(counted.strange);
  }
  call.Reply();
}

void WorkService::Keep(KeepCall call) {
  std::erase_if(kept_, [](const KeepCall& kept) { return kept.cancelled(); });
  kept_.push_back(std::move(call));
}

void WorkService::Note(NoteCall call) { notes_.push_back(std::move(call)); }

void WorkService::Blob(BlobCall call) {
  call.results().initData(call->getSize());
  call.Reply();
}

void WorkService::Take(TakeCall call) { call.Reply(); }

void WorkService::Whoami(WhoamiCall call) {
  call.results().setUser(OrMinusOne(call.peer().euid()));
  call.results().setProcess(OrMinusOne(call.peer().pid()));
  call.Reply();
}

}  // namespace lwmsg::test
