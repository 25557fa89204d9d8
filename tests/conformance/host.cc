#include "tests/conformance/host.h"

#include <gtest/gtest.h>

#include <chrono>

namespace lwmsg::test {

void Event::Happen() {
  const std::lock_guard lock(mutex_);
  ++count_;
  happened_.notify_all();
}

bool Event::Wait(int times) {
  std::unique_lock lock(mutex_);
  return happened_.wait_for(lock, std::chrono::seconds(20), [&] { return count_ >= times; });
}

int Event::count() const {
  const std::lock_guard lock(mutex_);
  return count_;
}

Host::Host(Service& service, MakeOptions options)
    : service_(service), options_(std::move(options)) {
  thread_ = std::thread([this] {
    stay_ = std::make_unique<Timer>(loop_->impl(), [] {});
    stay_->ArmAfter(std::chrono::hours(1));
    MakeServer();
    loop_->Run();
    server_.reset();
    stay_.reset();
    loop_.reset();
  });
}

Host::~Host() {
  Run([this](Server&) { loop_->Stop(); });
  thread_.join();
}

void Host::Run(const std::function<void(Server& server)>& task) {
  Event done;
  loop_->Post([&] {
    task(*server_);
    done.Happen();
  });
  ASSERT_TRUE(done.Wait()) << "the server's loop does not turn";
}

Status Host::Listen(const std::string& endpoint) {
  Status status;
  Run([&](Server& server) { status = server.Listen(endpoint); });
  return status;
}

Status Host::Adopt(OsHandle socket) {
  Status status;
  Run([&](Server& server) { status = server.Adopt(std::move(socket)); });
  return status;
}

void Host::Stop() {
  Run([](Server& server) { server.Stop(); });
}

void Host::Replace() {
  Run([this](Server&) {
    server_.reset();
    MakeServer();
  });
}

void Host::MakeServer() {
  server_ = std::make_unique<Server>(*loop_, options_());
  const Status served = server_->Serve(service_);
  EXPECT_TRUE(served.ok()) << served;
}

}  // namespace lwmsg::test
