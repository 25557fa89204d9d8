#include "lwmsg/process_watch.h"

#include <utility>

#include "lwmsg/os_handle.h"
#include "runtime/uv_loop.h"

namespace lwmsg {

class ProcessWatch::Impl {
 public:
  // A copy of the token's handle: libuv watches each descriptor once in a loop.
  Impl(OsHandle process, UniqueFunction<void()> on_end)
      : process_(std::move(process)), on_end_(std::move(on_end)) {}

  Status Open(internal::UvLoop& loop) {
    auto watch = loop.MakeWatch(process_.get(), [this](internal::IoLoop::Ready) { Tell(); });
    if (!watch) return std::move(watch).error();
    watch_ = std::move(*watch);
    watch_->Want({true, false});
    return Status();
  }

 private:
  void Tell() {
    watch_->Want({false, false});
    auto on_end = std::move(on_end_);
    on_end();  // Last: it may destroy this.
  }

  OsHandle process_;
  UniqueFunction<void()> on_end_;
  std::unique_ptr<internal::IoLoop::Watch> watch_;
};

ProcessWatch::ProcessWatch(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ProcessWatch::ProcessWatch(ProcessWatch&& other) noexcept = default;
ProcessWatch& ProcessWatch::operator=(ProcessWatch&& other) noexcept = default;
ProcessWatch::~ProcessWatch() = default;

Result<ProcessWatch> WatchProcess(Loop& loop, const Token& token, UniqueFunction<void()> on_end) {
  if (!token.process().valid()) {
    return Error(StatusCode::kFailedPrecondition,
                 "the process of " + token.ToString() +
                     " cannot be watched: the system gave no handle of it with the token");
  }
  auto process = token.process().Duplicate();
  if (!process) return Error(std::move(process).error());
  auto impl = std::make_unique<ProcessWatch::Impl>(std::move(*process), std::move(on_end));
  if (Status status = impl->Open(loop.impl()); !status.ok()) return Error(std::move(status));
  return ProcessWatch(std::move(impl));
}

}  // namespace lwmsg
