#include <lwmsg/lwmsg.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "end_request.h"
#include "exported_tree.h"
#include "file_server.lwmsg.h"
#include "files.h"

namespace {

using lwmsg::OsHandle;

OpenMode ModeOf(files::Access access) {
  return access == files::Access::READ ? OpenMode::kRead : OpenMode::kWrite;
}

std::string ToString(capnp::Text::Reader text) { return std::string(text.begin(), text.size()); }

// What a caller's Handle(File) names. Its rights were checked when it was opened; the mode of the
// descriptor keeps them. Reads and writes of files block, and with them all callers of this loop:
// fine for files of this machine, not for slow storage ($Lwmsg.blocking).
class OpenFile final : public files::FileService {
 public:
  explicit OpenFile(OsHandle descriptor) : descriptor_(std::move(descriptor)) {}

 private:
  void Read(ReadCall call) override {
    std::vector<kj::byte> data(call->getCount());
    auto size = ReadAt(descriptor_, call->getOffset(), kj::arrayPtr(data.data(), data.size()));
    if (!size) return call.Fail(std::move(size).error());
    call.results().setData(kj::arrayPtr(data.data(), *size));
    call.Reply();
  }

  void Write(WriteCall call) override {
    lwmsg::Status written = WriteAt(descriptor_, call->getOffset(), call->getData());
    if (!written.ok()) return call.Fail(std::move(written));
    call.Reply();
  }

  OsHandle descriptor_;
};

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
    auto file = std::make_shared<OpenFile>(std::move(*descriptor));
    lwmsg::Status status = call.results().setFile(file);
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

lwmsg::Status Run(const std::string& endpoint, const std::string& folder) {
  EndRequest asked;
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
    asked.Wait();
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
  app.add_option("--endpoint", endpoint,
                 "Where to listen, as unix:/run/files.sock; on Windows pipe:files")
      ->required();
  app.add_option("--root", folder, "The folder that is exported")->required();
  CLI11_PARSE(app, argc, argv);
  const lwmsg::Status status = Run(endpoint, folder);
  if (!status.ok()) std::cerr << "file_server: " << status << '\n';
  return status.ok() ? 0 : 1;
}
