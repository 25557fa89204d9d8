#pragma once

#include <functional>
#include <thread>
#include <utility>
#include <vector>

#include "tests/hostile/hostile_server_fixture.h"
#include "tests/hostile/windows/raw_handles.h"

namespace lwmsg::test {

// Servers that lie about OS handles. They are in the client's process, so that every number that is
// one of theirs is one of the client's too; the inventory at the end shows that none was closed or
// kept.
class HandleServerTest : public HostileServerTest {
 protected:
  HandleServerTest() { Again(); }

  // With another client and another server.
  void Again() {
    Renew();
    server_->ReadRecordsOf(internal::kHandleRecordBytes);
  }

  // Calls collect with `files`, while `serve` runs on a thread of its own: what the call came to.
  // What the client got is in `got_`.
  Status Collect(std::vector<OsHandle> files, const std::function<void()>& serve) {
    got_.clear();
    auto collect = Sample().Collect();
    auto items = collect->initItems(static_cast<uint32_t>(files.size()));
    for (uint32_t i = 0; i < items.size(); ++i) {
      collect.Put(items[i].getFile(), std::move(files[i]));
    }
    std::thread server(serve);
    Status status = Finish(std::move(collect), [this](auto& reply) {
      for (auto item : reply.getItems()) {
        auto file = reply.Take(item.getFile());
        EXPECT_TRUE(file) << file.error();
        if (file) got_.push_back(std::move(*file));
      }
    });
    server.join();
    return status;
  }
  Status CollectOne(const std::function<void()>& serve) {
    std::vector<OsHandle> files;
    files.push_back(OpenNull());
    return Collect(std::move(files), serve);
  }
  // Another call, with nothing but a text, works. What came meanwhile has been read.
  bool StillWorks() {
    const Status status = CallAfter(EchoReplyFrame(kSecondCallId, "text"));
    server_->Read();
    return status.ok();
  }
  // The call ended with that, and the server was told the same.
  testing::AssertionResult EndsWith(const Status& status, const std::string& part) {
    auto result = Says(status, StatusCode::kMalformed, {part});
    return result ? Says(GoodbyeOfClient(), StatusCode::kMalformed, {part}) : result;
  }

  // For `serve`:
  HandleRecord Await(size_t i) { return AwaitRecord(*server_, i); }
  void Tell(const HandleRecord& record) { server_->Write(ControlFrame(record)); }
  void Reply(const std::vector<HandleRecord>& records) {
    server_->Write(FilesReplyFrame(kFirstCallId, records));
  }

  // Of calls of which nothing comes; the exchange before that takes a small part of it.
  static constexpr std::chrono::milliseconds kDeadline{300};
  std::vector<OsHandle> got_;
};

}  // namespace lwmsg::test
