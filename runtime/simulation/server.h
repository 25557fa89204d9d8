#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lwmsg/association.h"
#include "lwmsg/internal/link.h"
#include "runtime/server_loop.h"
#include "runtime/simulation/loop.h"
#include "runtime/simulation/wire.h"
#include "runtime/simulation/world.h"

namespace lwmsg::internal {

// The threads of a simulated server, which are steps of their own on the one thread there is.
class SimulatedWorkers final : public Workers, private Actor {
 public:
  // At most so many tasks run at a time: any of the first ones may be next.
  SimulatedWorkers(World& world, const std::string& name, unsigned threads);

  void Run(const Token& /*caller*/, UniqueFunction<void()> task) override {
    tasks_.push_back(std::move(task));
  }
  bool busy(const Token& /*caller*/) override { return false; }

 private:
  bool CanAct() override { return !tasks_.empty(); }
  void Act() override;

  const size_t threads_;
  // Stands for the threads: its own tasks are none.
  const SimulatedLoop& elsewhere_;
  std::deque<UniqueFunction<void()>> tasks_;
};

class SimulatedServerImpl final : private ServerLoop::Owner, private Party {
 public:
  SimulatedServerImpl(World& world, ServerOptions options);
  SimulatedServerImpl(const SimulatedServerImpl&) = delete;
  SimulatedServerImpl& operator=(const SimulatedServerImpl&) = delete;
  ~SimulatedServerImpl();

  Status Serve(Service& service);
  void Listen() { listening_ = true; }
  void Stop();
  void Drain(std::chrono::milliseconds deadline, UniqueFunction<void()> done);
  size_t association_count() const;
  ServerState State() const;
  void Crash();

  // A client connects. As FrameStream::Connect.
  Result<bool> Accept(const std::shared_ptr<Wire>& wire, const Token& client);
  const ServiceTable& services() const { return here_->services(); }
  const std::string& name() const { return loop_.loop_name(); }
  Link<SimulatedServerImpl> link() const { return anchor_.link(); }

 private:
  void OnEnd(ServerLoop::Member member, const Status& reason) override;
  void End() override { Stop(); }
  void CheckEnded() override;
  std::unique_ptr<ServerLoop> NewServerLoop();
  void ReportDrained();

  Anchor<SimulatedServerImpl> anchor_{this};
  World& world_;
  SimulatedLoop& loop_;
  ServerOptions options_;
  const std::shared_ptr<SessionHost::Open> on_session_;
  const std::shared_ptr<UniqueFunction<void(const Token&, const Status&)>> on_end_;
  bool listening_ = true;
  std::vector<Service*> served_;
  std::vector<std::weak_ptr<Wire>> wires_;
  UniqueFunction<void()> drained_;
  Timer drain_timer_;
  SimulatedWorkers workers_;
  std::unique_ptr<ServerLoop> here_;  // Last: gone first, as it uses the others.
};

}  // namespace lwmsg::internal
