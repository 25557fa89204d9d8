#include <windows.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "lwmsg/internal/link.h"
#include "runtime/platform.h"
#include "runtime/windows/pipe_stream.h"
#include "runtime/windows/security.h"
#include "runtime/windows/system_status.h"

namespace lwmsg::internal {
namespace {

// Clients that can wait at the same time without trying again: instances of the pipe that are free.
constexpr int kMaxInstances = 8;
constexpr DWORD kPipeBufferBytes = 64 << 10;

// How long accepting rests when it failed, as it does without memory.
constexpr std::chrono::milliseconds kRest{100};

std::optional<uint32_t> ClientPid(const OsHandle& pipe) {
  ULONG pid = 0;
  if (GetNamedPipeClientProcessId(pipe.get(), &pid) == 0 || pid == 0) return std::nullopt;
  return pid;
}

// The process that connected, if it may.
Result<PeerProcess> CheckClient(const OsHandle& pipe, const Policy& policy) {
  const uint64_t connected = SystemTime();
  const auto pid = ClientPid(pipe);
  auto client = OpenPeer(pid.value_or(0));
  if (!client && client.error().code() != StatusCode::kPermissionDenied) return client;
  PeerProcess peer = client ? std::move(*client) : PeerProcess();
  PeerFacts facts = peer.Facts();
  facts.pid_before = pid;
  facts.pid_after = ClientPid(pipe);
  facts.connected = connected;
  if (Status may = MayConnect(facts, policy); !may.ok()) return Error(std::move(may));
  return peer;
}

// One instance of the pipe, to which one client can connect.
struct Instance {
  OsHandle pipe;
  Overlapped connecting;
  std::unique_ptr<IoLoop::Watch> watch;

  ~Instance() {
    if (pipe.valid()) connecting.Cancel(pipe);
  }
};

class PipeListener final : public Listener {
 public:
  PipeListener(IoLoop& loop, std::string endpoint, std::shared_ptr<PipeName> name,
               PipeSecurity security, const Limits& limits, Acceptor& acceptor)
      : loop_(loop),
        endpoint_(std::move(endpoint)),
        name_(std::move(name)),
        security_(std::move(security)),
        limits_(limits),
        acceptor_(acceptor),
        rest_(loop, [this] { OpenMissing(); }) {}
  ~PipeListener() override { name_->EndListening(); }

  Status Open(int instances) {
    // Others of this process may keep the name: then nobody else can have it.
    bool first = name_.use_count() == 1;
    for (int i = 0; i < instances; ++i) {
      auto instance = std::make_unique<Instance>();
      const auto index = instances_.size();
      auto watch = loop_.MakeWatch(instance->connecting.event().get(),
                                   [this, index](auto) { OnSet(index); });
      if (!watch) return std::move(watch).error();
      instance->watch = std::move(*watch);
      instances_.push_back(std::move(instance));
      if (Status status = OpenInstance(*instances_.back(), first); !status.ok()) return status;
      first = false;
    }
    return Status();
  }

  // Goes on to watch, to tell when a client waits.
  void Hold() override { held_ = true; }

  void Resume() override {
    if (!std::exchange(held_, false)) return;
    // Not by the watches, which are told in any order: who resumes first accepts first.
    for (auto& instance : instances_) instance->watch->Want({false, false});
    loop_.Post([link = anchor_.link()] {
      if (PipeListener* self = link.get()) self->AcceptWaiting();
    });
  }

  const std::string& name() const override { return endpoint_; }

 private:
  Status OpenInstance(Instance& instance, bool first) {
    SECURITY_ATTRIBUTES attributes = security_.attributes();
    instance.pipe = OsHandle(CreateNamedPipeW(
        name_->name().c_str(),
        PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | (first ? FILE_FLAG_FIRST_PIPE_INSTANCE : 0),
        PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS,
        PIPE_UNLIMITED_INSTANCES, kPipeBufferBytes, kPipeBufferBytes, 0, &attributes));
    if (!instance.pipe.valid()) {
      const DWORD error = GetLastError();
      if (first && error == ERROR_ACCESS_DENIED) {
        return Status(StatusCode::kAlreadyExists, "a server is running at " + endpoint_);
      }
      return SystemStatus("cannot make the pipe of " + endpoint_, error);
    }
    return Await(instance);
  }

  Status Await(Instance& instance) {
    const DWORD error = instance.connecting.Start(
        [&](OVERLAPPED* overlapped) { return ConnectNamedPipe(instance.pipe.get(), overlapped); });
    // The event is set in each case but that of 0. ERROR_NO_DATA: it came and went already.
    if (error != 0 && error != ERROR_PIPE_CONNECTED && error != ERROR_NO_DATA) {
      instance.pipe.Close();
      return SystemStatus("cannot listen at " + endpoint_, error);
    }
    instance.watch->Want({true, false});
    return Status();
  }

  void OnSet(size_t index) {
    Instance& instance = *instances_[index];
    if (held_) {
      instance.watch->Want({false, false});  // It stays set.
      return acceptor_.OnClientWaits();
    }
    DWORD size = 0;
    if (instance.connecting.pending()) {
      const DWORD error = instance.connecting.Finish(instance.pipe, &size);
      if (error == ERROR_IO_INCOMPLETE) return;
      // The thread that listened has ended, and another runs the loop now.
      if (error == ERROR_OPERATION_ABORTED) return Reconnect(instance);
    }
    OsHandle pipe = std::move(instance.pipe);
    instance.watch->Want({false, false});
    const auto link = anchor_.link();
    if (Status status = OpenInstance(instance, false); !status.ok()) Rest(status);
    if (link.get() != nullptr) Accept(std::move(pipe));
  }

  void AcceptWaiting() {
    const auto link = anchor_.link();
    for (size_t i = 0; link.get() != nullptr && !held_ && i < instances_.size(); ++i) {
      const OsHandle& event = instances_[i]->connecting.event();
      const bool set = WaitForSingleObject(event.get(), 0) == WAIT_OBJECT_0;
      if (instances_[i]->pipe.valid() && set) OnSet(i);
    }
    if (link.get() == nullptr) return;
    for (auto& instance : instances_) instance->watch->Want({instance->pipe.valid(), false});
  }

  void Reconnect(Instance& instance) {
    if (Status status = Await(instance); !status.ok()) Rest(status);
  }

  void Accept(OsHandle pipe) {
    auto client = CheckClient(pipe, security_.policy());
    if (!client) return acceptor_.OnRefused(*this, client.error());
    acceptor_.OnAccepted(
        std::make_unique<PipeStream>(std::move(pipe), std::move(*client), true, name_, limits_));
  }

  void Rest(const Status& reason) {
    rest_.ArmAfter(kRest);
    acceptor_.OnAcceptFailed(*this, reason);
  }

  void OpenMissing() {
    for (auto& instance : instances_) {
      if (instance->pipe.valid()) continue;
      if (Status status = OpenInstance(*instance, false); !status.ok()) return Rest(status);
    }
  }

  Anchor<PipeListener> anchor_{this};
  IoLoop& loop_;
  const std::string endpoint_;
  const std::shared_ptr<PipeName> name_;
  const PipeSecurity security_;
  const Limits limits_;
  Acceptor& acceptor_;
  bool held_ = false;
  Timer rest_;
  std::vector<std::unique_ptr<Instance>> instances_;
};

}  // namespace

Result<std::unique_ptr<Listener>> Listen(IoLoop& loop, const Endpoint& endpoint,
                                         const ListenOptions& options, const Limits& limits,
                                         Listener::Acceptor& acceptor) {
  auto name = ToPipeName(endpoint);
  if (!name) return Error(std::move(name).error());
  if (options.strict_senders) {
    return Error(StatusCode::kUnimplemented, "ListenOptions::strict_senders at " +
                                                 endpoint.ToString() +
                                                 ": Windows does not say who wrote to a pipe");
  }
  auto security = PipeSecurity::Make(options);
  if (!security) return Error(std::move(security).error());
  auto taken = PipeName::TakeToListen(*name, endpoint.ToString());
  if (!taken) return Error(std::move(taken).error());
  auto listener = std::make_unique<PipeListener>(loop, endpoint.ToString(), std::move(*taken),
                                                 std::move(*security), limits, acceptor);
  const int instances = std::clamp(options.backlog, 1, kMaxInstances);
  if (Status status = listener->Open(instances); !status.ok()) return Error(std::move(status));
  return listener;
}

Result<std::unique_ptr<Listener>> ListenOn(IoLoop& /*loop*/, OsHandle socket,
                                           const Limits& /*limits*/,
                                           Listener::Acceptor& /*acceptor*/) {
  if (Status status = CheckPipe(socket); !status.ok()) return Error(std::move(status));
  return Error(StatusCode::kUnimplemented,
               "a pipe that listens cannot be handed over on Windows; listen at pipe:name");
}

}  // namespace lwmsg::internal
