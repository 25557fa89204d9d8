#include "lwmsg/loop.h"

#include "runtime/uv_loop.h"

namespace lwmsg {

Loop::Loop() : Loop(nullptr) {}
Loop::Loop(uv_loop_s* uv) : impl_(std::make_unique<internal::UvLoop>(uv)) {}
Loop::~Loop() = default;

void Loop::Run() { impl_->Run(); }
void Loop::Stop() { impl_->Stop(); }
void Loop::SetBusyWait(std::chrono::microseconds longest) { impl_->SetBusyWait(longest); }
void Loop::Post(UniqueFunction<void()> task) { impl_->Post(std::move(task)); }
uv_loop_s* Loop::uv() { return impl_->uv(); }

}  // namespace lwmsg
