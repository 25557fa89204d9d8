#include "runtime/server_thread.h"

namespace lwmsg::internal {

ServerThread::ServerThread(std::chrono::microseconds busy_wait, ServerLoop::Shared shared,
                           OnEndFunction on_end, UniqueFunction<void(const Placement::Place&)> left)
    : busy_wait_(busy_wait),
      shared_(std::move(shared)),
      on_end_(std::move(on_end)),
      left_(std::move(left)),
      thread_([this] { Run(); }) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return runs_ || unusable_ != nullptr; });
  if (runs_) return;
  lock.unlock();
  thread_.join();
  std::rethrow_exception(unusable_);
}

ServerThread::~ServerThread() {
  End();
  thread_.join();
}

void ServerThread::End() {
  if (!std::exchange(ended_, true)) loop_->Stop();
}

void ServerThread::Run() {
  try {
    Serve();
  } catch (...) {
    const std::lock_guard lock(mutex_);
    if (runs_) throw;
    unusable_ = std::current_exception();
    changed_.notify_one();
  }
}

void ServerThread::Serve() {
  UvLoop loop(nullptr);
  loop.SetBusyWait(busy_wait_);
  loop.Hold();
  ServerLoop associations(loop, shared_, *this);
  loop_ = &loop;
  associations_ = &associations;
  {
    const std::lock_guard lock(mutex_);
    runs_ = true;
    changed_.notify_one();
  }
  loop.Run();
}

void ServerThread::OnEnd(ServerLoop::Member member, const Status& reason) {
  if (on_end_) (*on_end_)(member.association->peer(), reason);
  member.association.reset();
  left_(member.place);
}

}  // namespace lwmsg::internal
