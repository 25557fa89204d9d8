// Greetings and sessions: several associations of one server or client, whose peers say hello
// rightly and wrongly, early, late and twice, with session keys that they share, while the server
// is still asked whether it wants them.
#include <array>
#include <memory>

#include "lwmsg/association.h"
#include "lwmsg/fuzz/manual_executor.h"
#include "lwmsg/fuzz/scripted_peer.h"
#include "lwmsg/internal/session_host.h"
#include "lwmsg/new_session.h"
#include "runtime/platform.h"
#include "tests/fuzz/scripted_side.h"
#include "tests/fuzz/target.h"

namespace lwmsg::test {
namespace {

class Greetings {
 public:
  explicit Greetings(Input& input) : input_(input), connects_(input.OneIn(4)) {
    const bool asks = input.Bool();
    auto open = [this](NewSession session) { asked_.push_back(std::move(session)); };
    host_ = std::make_unique<internal::SessionHost>(
        executor_, 4, asks ? std::make_shared<internal::SessionHost::Open>(open) : nullptr);
    environment_->sessions = connects_ ? nullptr : host_.get();
    environment_->limits.max_queued_messages = 64;
    side_.Read(&input);
  }

  void Run() {
    for (int step = 0; step < 100 && !input_.empty(); ++step) {
      Step(places_[input_.Below(places_.size())]);
      if (!input_.OneIn(4)) executor_.Run();
    }
    side_.Read(nullptr);
    side_.LetGo();
    for (Place& place : places_) place.association.reset();
    asked_.clear();
    executor_.Run();
    Require(host_->session_count() == 0, "sessions end with their last association");
  }

 private:
  // One peer, and the association with it if there is one.
  struct Place {
    std::unique_ptr<fuzz::ScriptedPeer> peer;
    std::unique_ptr<Association> association;
  };

  void Step(Place& place) {
    const size_t choice = input_.Below(8);
    if (choice == 0) return AnswerSession();
    if (choice == 1) return executor_.Advance(std::chrono::milliseconds(64 * input_.Byte()));
    if (place.association == nullptr) return Open(place);
    if (choice < 4) return place.peer->Greet(input_);
    if (choice == 4 && input_.OneIn(4)) return place.association.reset();
    place.peer->Step(input_);
  }

  void Open(Place& place) {
    executor_.Run();
    place.peer = std::make_unique<fuzz::ScriptedPeer>(executor_);
    for (const auto& entry : side_.services().entries()) {
      place.peer->Know(entry.protocol->schema());
    }
    Association::Config config{.environment = environment_};
    if (connects_) {
      config.connecting = std::make_unique<Association::Connecting>();
      if (input_.Bool()) config.connecting->session_key = std::string(16, 'k');
      if (input_.Bool()) config.connecting->peer_euid = internal::OwnToken().euid();
      config.connecting->on_session = [](uint64_t) {};
    }
    Token token = input_.OneIn(8) ? Token() : internal::OwnToken();
    place.association =
        std::make_unique<Association>(executor_, place.peer->MakeTransport(std::move(token)),
                                      side_.services(), std::move(config));
    place.association->Start();
  }

  void AnswerSession() {
    if (asked_.empty()) return;
    const size_t index = input_.Below(asked_.size());
    NewSession session = std::move(asked_[index]);
    asked_.erase(asked_.begin() + static_cast<ptrdiff_t>(index));
    const size_t choice = input_.Below(4);
    if (choice < 2) session.Accept(std::make_shared<int>(1));
    if (choice == 2) session.Refuse(Status(StatusCode::kPermissionDenied, "the script says so"));
  }

  Input& input_;
  const bool connects_;
  fuzz::ManualExecutor executor_;
  std::vector<NewSession> asked_;
  std::unique_ptr<internal::SessionHost> host_;
  std::shared_ptr<Association::Environment> environment_ =
      std::make_shared<Association::Environment>();
  ScriptedSide side_{{&sample::kSampleProtocol, &sample::kObjectProtocol}, {}};
  std::array<Place, 3> places_;
};

}  // namespace
}  // namespace lwmsg::test

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const lwmsg::test::SameHandles same;
  lwmsg::test::Input input({data, size});
  lwmsg::test::Greetings(input).Run();
  return 0;
}
