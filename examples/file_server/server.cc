#include <lwmsg/lwmsg.h>
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <iostream>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "exported_tree.h"
#include "file_server.lwmsg.h"

namespace {

using lwmsg::OsHandle;
using lwmsg::StatusCode;

// What a caller's Handle(File) names. Its rights were checked when it was opened; the mode of the
// descriptor keeps them.
struct OpenFile {
  OsHandle descriptor;
};

OpenMode ModeOf(files::Access access) {
  return access == files::Access::READ ? OpenMode::kRead : OpenMode::kWrite;
}

std::string ToString(capnp::Text::Reader text) { return std::string(text.begin(), text.size()); }

// Reads and writes of files block, and with them all callers of this loop: fine for files of this
// machine, not for slow storage.
class Files final : public files::FileServerService {
 public:
  explicit Files(ExportedTree tree) : tree_(std::move(tree)) {}

 private:
  void Whoami(WhoamiCall call) override {
    call.results().setToken(call.peer().ToString());
    call.Reply();
  }

  void Open(OpenCall call) override {
    auto descriptor =
        tree_.OpenFor(call.peer(), ToString(call->getPath()), ModeOf(call->getAccess()));
    if (!descriptor) return call.Fail(std::move(descriptor).error());
    auto file = std::make_shared<OpenFile>(OpenFile{std::move(*descriptor)});
    lwmsg::Status status = call.Register(call.results().initFile(), std::move(file));
    if (!status.ok()) return call.Fail(std::move(status));
    call.Reply();
  }

  void Read(ReadCall call) override {
    auto file = call.Resolve<OpenFile>(call->getFile());
    if (!file) return call.Fail(std::move(file).error());
    std::vector<kj::byte> data(std::min(call->getCount(), files::MAX_CHUNK));
    const ssize_t size = pread((*file)->descriptor.get(), data.data(), data.size(),
                               static_cast<off_t>(call->getOffset()));
    if (size < 0) return call.Fail(SystemError("cannot read", errno));
    call.results().setData(kj::arrayPtr(data.data(), static_cast<size_t>(size)));
    call.Reply();
  }

  void Write(WriteCall call) override {
    auto file = call.Resolve<OpenFile>(call->getFile());
    if (!file) return call.Fail(std::move(file).error());
    auto data = call->getData();
    uint64_t offset = call->getOffset();
    while (data.size() > 0) {
      const ssize_t size =
          pwrite((*file)->descriptor.get(), data.begin(), data.size(), static_cast<off_t>(offset));
      if (size < 0) return call.Fail(SystemError("cannot write", errno));
      offset += static_cast<uint64_t>(size);
      data = data.slice(static_cast<size_t>(size), data.size());
    }
    call.Reply();
  }

  void Close(CloseCall call) override {
    lwmsg::Status status = call.Unregister(call->getFile());
    if (!status.ok()) return call.Fail(std::move(status));
    call.Reply();
  }

  void OpenDescriptor(OpenDescriptorCall call) override {
    auto descriptor =
        tree_.OpenFor(call.peer(), ToString(call->getPath()), ModeOf(call->getAccess()));
    if (!descriptor) return call.Fail(std::move(descriptor).error());
    call.results().setFile(std::move(*descriptor));
    call.Reply();
  }

  ExportedTree tree_;
};

// Blocked in all threads, so that only the thread that waits for them takes them.
sigset_t BlockEndSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

lwmsg::Status Run(const std::string& endpoint, const std::string& folder) {
  const sigset_t signals = BlockEndSignals();
  auto tree = ExportedTree::Open(folder);
  if (!tree) return std::move(tree).error();
  Files service(std::move(*tree));
  lwmsg::Loop loop;
  lwmsg::Server server(loop);
  lwmsg::Status status = server.Serve(service);
  // Everybody may ask: what they get depends on their tokens.
  if (status.ok()) status = server.Listen(endpoint, {.mode = 0666});
  if (!status.ok()) return status;
  const std::jthread end([&] {
    int signal = 0;
    sigwait(&signals, &signal);
    loop.Stop();
  });
  std::cout << "listening at " << endpoint << std::endl;
  loop.Run();
  return lwmsg::Status();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Serves the files of a folder to callers that have the rights to them.");
  std::string endpoint;
  std::string folder;
  app.add_option("--endpoint", endpoint, "Where to listen, as unix:/run/files.sock")->required();
  app.add_option("--root", folder, "The folder that is exported")->required();
  CLI11_PARSE(app, argc, argv);
  const lwmsg::Status status = Run(endpoint, folder);
  if (!status.ok()) std::cerr << "file_server: " << status << '\n';
  return status.ok() ? 0 : 1;
}
