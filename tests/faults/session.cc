#include "tests/faults/session.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/posix/socket_address.h"
#include "tests/support/sample_service.h"
#include "tests/support/system.h"

namespace faults {
namespace {

using lwmsg::Status;
using lwmsg::test::FileWith;
using lwmsg::test::ListenerService;
using lwmsg::test::OpenFile;
using lwmsg::test::ReadAll;
using sample::ObjectClient;
using sample::SampleClient;

lwmsg::ClientOptions Options() {
  lwmsg::ClientOptions options;
  // How often a system is asked in vain must not depend on time.
  options.busy_wait = std::chrono::microseconds(0);
  options.reconnect = lwmsg::Reconnect::kOnNextCall;
  return options;
}

// The calls of a BlockingClient.
class Steps {
 public:
  explicit Steps(Report& report) : report_(report) {}

  // `call` returns a Status. Filling a message may find no memory: then there was no call.
  template <typename Call>
  void Do(Call call) {
    ++report_.started;
    try {
      const Status status = call();
      if (!status.ok()) {
        ++report_.failed;
        Tell(status.message());
      }
    } catch (const std::bad_alloc&) {
      ++report_.failed;
    }
    ++report_.ended;
  }
  // A call that must fail like that, if it comes so far.
  template <typename Result>
  static Status Expect(const Result& result, lwmsg::StatusCode code) {
    if (!result && result.error().code() == code) return Status();
    return result ? Status(lwmsg::StatusCode::kInternal, "succeeded") : result.error();
  }
  void Check(bool right, const char* what) {
    if (!right) report_.Wrong(what);
  }

 private:
  void Tell(const std::string& text) {
    const Exempt exempt;
    report_.Say(text);
  }

  Report& report_;
};

template <typename Result>
Status StatusOf(const Result& result) {
  return result ? Status() : result.error();
}

void CallPlainly(SampleClient& service, Steps& steps) {
  steps.Do([&] {
    auto echo = service.Echo();
    echo->setText("hello");
    auto reply = echo.Sync();
    if (reply) steps.Check(reply->getText() == "hello", "another echo");
    return StatusOf(reply);
  });
  steps.Do([&] {
    auto log = service.Log();
    log->setText("one-way");
    return log.Send();
  });
  for (const size_t size : {3000, 20000}) {
    steps.Do([&] {
      auto blob = service.Blob();
      blob->initData(static_cast<uint32_t>(size));
      blob->setSize(5000);
      auto reply = blob.Sync();
      if (reply) steps.Check(reply->getData().size() == 5000, "another blob");
      return StatusOf(reply);
    });
  }
  steps.Do([&] { return StatusOf(service.Nothing().Sync()); });
  steps.Do([&] {
    auto reply = service.Whoami().Sync();
    // Without an answer of the kernel's it is unknown.
    if (reply) steps.Check(reply->getPid() == getpid() || reply->getPid() == -1, "another process");
    return StatusOf(reply);
  });
  steps.Do([&] { return StatusOf(service.Block().Sync()); });
}

void CallForErrors(SampleClient& service, Steps& steps) {
  steps.Do([&] {
    auto fail = service.Fail();
    fail->setCode(static_cast<uint16_t>(lwmsg::StatusCode::kNotFound));
    fail->setText("as it was asked for");
    return Steps::Expect(fail.Sync(), lwmsg::StatusCode::kNotFound);
  });
  steps.Do([&] {
    auto throwing = service.Throwing();
    throwing->setWhat("something");
    return Steps::Expect(throwing.Sync(), lwmsg::StatusCode::kInternal);
  });
  steps.Do([&] { return Steps::Expect(service.Forget().Sync(), lwmsg::StatusCode::kAborted); });
}

void PassFiles(SampleClient& service, Steps& steps) {
  steps.Do([&] {
    auto give = service.Give();
    {
      const Exempt exempt;
      give->setFirst(FileWith("one"));
      give->setSecond(FileWith("two"));
    }
    auto reply = give.Sync();
    if (reply) steps.Check(reply->getContent() == "onetwo", "other files");
    return StatusOf(reply);
  });
  steps.Do([&] {
    auto open = service.Open();
    open->setPath("/dev/null");
    auto reply = open.Sync();
    if (!reply) return reply.error();
    auto file = reply->takeFile();
    const Exempt exempt;
    if (file) steps.Check(ReadAll(*file).empty(), "another file");
    return StatusOf(file);
  });
}

void BeExamined(SampleClient& service, Steps& steps) {
  steps.Do([&] {
    auto examine = service.Examine();
    {
      const Exempt exempt;
      examine->setFile(OpenFile("/proc/self/exe"));
    }
    return StatusOf(examine.Sync());
  });
}

void UseObjects(SampleClient& service, Steps& steps) {
  steps.Do([&] {
    auto made = service.Make().Sync();
    if (!made) return made.error();
    auto object = made->takeObject();
    if (!object) return object.error();
    auto add = ObjectClient(*object).Add();
    add->setAmount(3);
    auto added = add.Sync();
    if (added) steps.Check(added->getCount() == 3, "another count");
    return StatusOf(ObjectClient(*object).Object().Sync());
  });
}

void ReadStreams(SampleClient& service, Steps& steps) {
  steps.Do([&] {
    auto count = service.Count();
    count->setTo(6);
    auto stream = count.Start();
    uint32_t next = 0;
    auto item = stream.NextSync();
    for (; item && *item; item = stream.NextSync()) {
      steps.Check((*item)->getNumber() == next++, "another item");
    }
    if (item) steps.Check(next == 6, "items are missing");
    return StatusOf(item);
  });
  steps.Do([&] {
    auto stream = service.Watch().Start();
    stream.Cancel();
    return Steps::Expect(stream.NextSync(), lwmsg::StatusCode::kCancelled);
  });
}

void ShareMemory(SampleClient& service, lwmsg::SharedMemoryPool* pool, Steps& steps) {
  steps.Do([&] {
    auto memory = pool ? pool->Take() : lwmsg::WritableMemory::Create(4096);
    if (!memory) return memory.error();
    memory->bytes()[7] = std::byte{9};
    memory->Truncate(64);
    auto share = service.Share();
    share->setMemory(std::move(*memory));
    auto reply = share.Sync();
    if (reply) steps.Check(reply->getSum() == 9, "other bytes");
    return StatusOf(reply);
  });
  steps.Do([&] {
    auto render = service.Render();
    render->setSize(100);
    render->setOwn(pool == nullptr);
    auto reply = render.Sync();
    if (!reply) return reply.error();
    auto memory = reply->takeMemory();
    if (memory) steps.Check(memory->bytes()[99] == std::byte{99}, "other bytes came");
    return StatusOf(memory);
  });
}

void BeCalled(SampleClient& service, Steps& steps) {
  steps.Do([&] {
    auto call_back = service.CallBack();
    call_back->setRounds(2);
    auto reply = call_back.Sync();
    if (reply) steps.Check(reply->getRounds() == 2, "other rounds");
    return StatusOf(reply);
  });
  steps.Do([&] {
    auto call_object = service.CallObject();
    call_object->setRounds(1);
    auto named = call_object->setListener(std::make_shared<ListenerService>());
    if (!named.ok()) return named;
    auto reply = call_object.Sync();
    if (reply) steps.Check(reply->getRounds() == 1, "other rounds of an object");
    return StatusOf(reply);
  });
}

void CallOnAGivenSocket(const std::string& endpoint, Steps& steps) {
  lwmsg::OsHandle socket;
  {
    const Exempt exempt;
    auto made = lwmsg::internal::NewSocket();
    if (!made || !lwmsg::internal::ConnectOnce(*made, *lwmsg::Endpoint::Parse(endpoint))) return;
    socket = std::move(*made);
  }
  steps.Do([&] {
    lwmsg::BlockingClient client(std::move(socket), Options());
    auto echo = SampleClient(client).Echo();
    echo->setText("given");
    auto reply = echo.Sync();
    if (reply) steps.Check(reply->getText() == "given", "another echo on a given socket");
    return StatusOf(reply);
  });
}

void StartAChild(Steps& steps) {
  steps.Do([&] {
    auto child = lwmsg::SpawnWithPair({"true"});
    if (!child) return child.error();
    const Exempt exempt;
    int status = -1;
    waitpid(static_cast<pid_t>(child->pid), &status, 0);
    steps.Check(status == 0, "another child");
    return Status();
  });
}

void RunBlocking(const std::string& endpoint, Report& report) {
  Steps steps(report);
  ListenerService listener;
  lwmsg::BlockingClient client(endpoint, Options());
  steps.Do([&] { return client.Serve(listener); });
  SampleClient service(client);
  CallPlainly(service, steps);
  CallForErrors(service, steps);
  PassFiles(service, steps);
  BeExamined(service, steps);
  UseObjects(service, steps);
  ReadStreams(service, steps);
  ShareMemory(service, nullptr, steps);
  if (auto pool = lwmsg::SharedMemoryPool::Create(4096, 2)) ShareMemory(service, &*pool, steps);
  BeCalled(service, steps);
  steps.Do([&] {
    client.Close();
    return StatusOf(service.Nothing().Sync());
  });
  CallOnAGivenSocket(endpoint, steps);
  StartAChild(steps);
}

// Calls of a Client on its loop, which stops when all have ended.
class Pending {
 public:
  Pending(lwmsg::Loop& loop, Report& report) : loop_(loop), report_(report) {}
  ~Pending() {
    if (open_ != 0) report_.Wrong("a call never ended");
  }

  // A callback that must run once.
  template <typename IsRight>
  struct Call {
    Pending* pending;
    bool may_fail;
    IsRight is_right;
    bool ended = false;

    template <typename Reply>
    void operator()(const Reply& reply) {
      if (std::exchange(ended, true)) pending->report_.Wrong("a call ended twice");
      try {
        if (reply && !is_right(*reply)) pending->report_.Wrong("another reply");
      } catch (const std::bad_alloc&) {
        // To read a message of several segments takes memory.
      }
      pending->End(may_fail || reply,
                   reply ? std::string_view() : std::string_view(reply.error().message()));
    }
  };
  auto Once(bool may_fail = false) {
    const auto any = [](const auto& /*reply*/) { return true; };
    return Call<decltype(any)>{this, may_fail, any};
  }
  // The same of a call whose reply must be right, if one comes.
  template <typename IsRight>
  auto Right(IsRight is_right) {
    return Call<IsRight>{this, false, is_right};
  }
  void Check(bool right, const char* what) {
    if (!right) report_.Wrong(what);
  }
  // Runs `send`, which sends a call with Once; without memory for that there is no call.
  template <typename Send>
  void Do(Send send) {
    ++report_.started;
    ++open_;
    try {
      send();
    } catch (const std::bad_alloc&) {
      End(false, "");
    }
  }
  void Run() {
    while (open_ != 0) loop_.Run();
  }

 private:
  void End(bool good, std::string_view text) {
    ++report_.ended;
    if (!good) {
      ++report_.failed;
      report_.Say(text);
    }
    if (--open_ == 0) loop_.Stop();
  }

  lwmsg::Loop& loop_;
  Report& report_;
  uint32_t open_ = 0;
};

lwmsg::Task ReadStream(SampleClient service, Pending& pending) {
  auto once = pending.Once();
  lwmsg::Result<bool> end = true;
  try {
    auto count = service.Count();
    count->setTo(9);
    auto stream = count.Start();
    uint32_t next = 0;
    auto item = co_await stream.Next();
    for (; item && *item; item = co_await stream.Next()) {
      pending.Check((*item)->getNumber() == next++, "another item");
    }
    if (item) pending.Check(next == 9, "items are missing");
    if (!item) end = lwmsg::Error(item.error());
  } catch (const std::bad_alloc&) {
    end = lwmsg::Error(lwmsg::StatusCode::kResourceExhausted, "");
  }
  once(end);
}

void SendAll(SampleClient& service, Pending& pending) {
  for (int i = 0; i < 4; ++i) {
    pending.Do([&] {
      auto echo = service.Echo();
      echo->setText("hello");
      echo.Send(pending.Right([](const auto& reply) { return reply.getText() == "hello"; }));
    });
    pending.Do([&] {
      auto give = service.Give();
      {
        const Exempt exempt;
        give->setFirst(FileWith("one"));
      }
      give.Send(pending.Right([](const auto& reply) { return reply.getContent() == "one"; }));
    });
    pending.Do([&] {
      auto blob = service.Blob();
      blob->setSize(9000);
      blob.Send(pending.Right([](const auto& reply) { return reply.getData().size() == 9000; }));
    });
  }
  pending.Do([&] { service.Make().Send(pending.Once()); });
  pending.Do([&] { service.Block().Send(pending.Once()); });
  pending.Do([&] { service.Keep().Send(pending.Once(true)).Cancel(); });
  pending.Do([&] {
    auto hurry = service.Hurry();
    hurry.set_timeout(std::chrono::milliseconds(2));
    hurry.Send(pending.Once(true));
  });
  pending.Do([&] { ReadStream(service, pending); });
}

void RunCallbacks(const std::string& endpoint, Report& report) {
  lwmsg::Loop loop;
  loop.SetBusyWait(std::chrono::microseconds(0));
  Pending pending(loop, report);
  lwmsg::Client client(loop, endpoint, Options());
  SampleClient service(client);
  SendAll(service, pending);
  pending.Run();
  // Ended by this side with calls under way.
  pending.Do([&] { service.Echo().Send(pending.Once(true)); });
  client.Close();
  pending.Run();
  pending.Do([&] {
    auto echo = service.Echo();
    echo->setText("again");
    echo.Send(pending.Right([](const auto& reply) { return reply.getText() == "again"; }));
  });
  pending.Run();
}

}  // namespace

void RunSession(Session session, const std::string& endpoint, Report& report) {
  try {
    session == Session::kBlocking ? RunBlocking(endpoint, report) : RunCallbacks(endpoint, report);
  } catch (const std::bad_alloc&) {
    ++report.failed;  // A client, or its loop, that could not be made.
  } catch (const std::runtime_error& error) {
    ++report.failed;
    report.Say(error.what());
  }
}

bool IsServed(const std::string& endpoint, Report& report) {
  lwmsg::BlockingClient client(endpoint, Options());
  auto give = SampleClient(client).Give();
  give->setFirst(FileWith("next"));
  give.set_timeout(std::chrono::seconds(3));
  auto reply = give.Sync();
  if (reply && reply->getContent() == "next") return true;
  report.Wrong("the next client is not served: " +
               (reply ? "another content" : reply.error().ToString()));
  return false;
}

void CallForEver(const std::string& endpoint, Report& report) {
  Steps steps(report);
  while (report.failed == 0) {
    ListenerService listener;
    lwmsg::BlockingClient client(endpoint, Options());
    steps.Do([&] { return client.Serve(listener); });
    SampleClient service(client);
    for (int i = 0; i < 20 && report.failed == 0; ++i) {
      CallPlainly(service, steps);
      PassFiles(service, steps);
      UseObjects(service, steps);
      ReadStreams(service, steps);
      BeCalled(service, steps);
    }
  }
}

}  // namespace faults
