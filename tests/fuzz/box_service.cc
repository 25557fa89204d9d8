// A service such as users write, for lwmsg_fuzz_target. With PLANTED_BUG it has one: it forgets a
// file that it replaces.
#include <lwmsg/fuzz/service.h>
#include <lwmsg/lwmsg.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "box.lwmsg.h"

#ifndef PLANTED_BUG
#define PLANTED_BUG 0
#endif

namespace {

class KeptLock final : public LockService {
 public:
  explicit KeptLock(std::shared_ptr<int> holders) : holders_(std::move(holders)) {}
  void Count(CountCall call) override {
    call.results().setHolders(static_cast<uint32_t>(holders_.use_count()));
    call.Reply();
  }

 private:
  std::shared_ptr<int> holders_;
};

class SixteenPlaces final : public BoxService {
 public:
  void Put(PutCall call) override {
    Place& place = places_[call->getPlace()];
    auto file = call->takeFile();
    if (!file) return call.Fail(file.error());
    if (PLANTED_BUG && place.file.valid()) static_cast<void>(place.file.Release());
    place = {call->getLabel(), std::move(*file)};
    call.Reply();
  }
  void Get(GetCall call) override {
    if (call->getPlace() >= places_.size()) {
      return call.Fail(lwmsg::StatusCode::kNotFound, "there are 16 places");
    }
    Place& place = places_[call->getPlace()];
    call.results().setLabel(place.label);
    call.results().setFile(std::move(place.file));
    call.Reply();
  }
  void Labels(LabelsCall call) override {
    for (size_t i = 0; i < places_.size(); ++i) {
      if (!co_await call.Ready()) co_return;
      call.item().setLabel(places_[i].label);
      if (!call.Send().ok()) co_return;
    }
    call.Finish();
  }
  void Lock(LockCall call) override {
    auto named = call.results().setLock(std::make_shared<KeptLock>(holders_));
    if (!named.ok()) return call.Fail(named);
    call.Reply();
  }
  void Clear(ClearCall /*call*/) override { places_ = {}; }

 private:
  struct Place {
    std::string label;
    lwmsg::OsHandle file;
  };
  std::array<Place, 16> places_;
  std::shared_ptr<int> holders_ = std::make_shared<int>();
};

}  // namespace

std::unique_ptr<lwmsg::Service> lwmsg::fuzz::MakeService() {
  return std::make_unique<SixteenPlaces>();
}
