#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lwmsg/simulation.h"
#include "tests/simulation/subject_service.h"

namespace lwmsg::test {

// One caller of Subject. What it does is drawn from the seed, and what comes of it is checked.
// Outlives the calls that it makes.
class Caller {
 public:
  // What it may do, mixed as given: one more entry, more often.
  enum class Act { kEcho, kLarge, kLate, kHurry, kPass, kNote, kCount, kObject, kCallBack, kBlock };

  Caller(Simulation& simulation, Channel channel, SubjectService& service,
         std::vector<Act> acts = All());
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;

  static std::vector<Act> All();
  // Lets go of all objects.
  void Forget() { items_.clear(); }
  // So many acts, spread over the next steps and `time`.
  void Plan(size_t count, std::chrono::milliseconds time = std::chrono::milliseconds(20));
  void DoOne();
  // From now on the service may answer whatever it likes.
  void Distrust() { trusts_ = false; }

  // Calls that were made, that ended, and that ended well.
  size_t started() const { return started_; }
  size_t ended() const { return ended_; }
  size_t good() const { return good_; }
  size_t open_streams() const { return open_streams_; }
  const std::set<StatusCode>& errors() const { return errors_; }
  // How the calls of `late` and `hurry` ended, by their numbers.
  const std::map<uint64_t, StatusCode>& late() const { return late_; }

 private:
  using Items = decltype(std::declval<subject::SubjectClient&>().Count().Start());
  struct Reading {
    std::unique_ptr<Items> items;
    uint32_t next = 0;
    uint32_t to = 0;
  };

  uint64_t NextNumber();
  void Expect(bool holds, std::string_view what) {
    if (trusts_) simulation_.Expect(holds, what);
  }
  // Sends; now and then it is cancelled.
  template <typename Request, typename Check>
  void Send(Request request, Check check);
  // Now and then, from inside the callback, it does one more.
  void Ended(const Status& status);
  template <typename Request>
  void Late(Request request);
  void Pass();
  void Count();
  void Read(const std::shared_ptr<Reading>& reading);
  void UseObject();

  Simulation& simulation_;
  subject::SubjectClient subject_;
  SubjectService& service_;
  const std::vector<Act> acts_;
  const uint64_t first_number_;
  bool trusts_ = true;
  uint64_t count_ = 0;
  size_t again_ = 10;
  size_t started_ = 0;
  size_t ended_ = 0;
  size_t good_ = 0;
  size_t open_streams_ = 0;
  std::set<StatusCode> errors_;
  std::map<uint64_t, StatusCode> late_;
  std::vector<Handle<subject::Item>> items_;
};

}  // namespace lwmsg::test
