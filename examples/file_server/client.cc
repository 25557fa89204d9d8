#include <lwmsg/lwmsg.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <utility>
#include <vector>

#include "file_server.lwmsg.h"
#include "files.h"

namespace {

using files::Access;
using files::FileClient;
using files::FileServerClient;
using lwmsg::Status;

constexpr size_t kChunk = 64 * 1024;
static_assert(kChunk <= files::MAX_CHUNK);

// The file is closed when the client goes.
lwmsg::Result<FileClient> Open(const FileServerClient& server, const std::string& path,
                               Access access) {
  auto request = server.Open();
  request->setPath(path);
  request->setAccess(access);
  auto reply = request.Sync();
  if (!reply) return lwmsg::Error(std::move(reply).error());
  return reply->takeFile().map([](const auto& file) { return FileClient(file); });
}

Status WhoAmI(const FileServerClient& server) {
  auto reply = server.Whoami().Sync();
  if (!reply) return std::move(reply).error();
  std::cout << reply->getToken().cStr() << '\n';
  return Status();
}

// Through the server, chunk by chunk.
Status Cat(const FileServerClient& server, const std::string& path) {
  auto file = Open(server, path, Access::READ);
  if (!file) return std::move(file).error();
  for (uint64_t offset = 0;;) {
    auto request = file->Read();
    request->setOffset(offset);
    request->setCount(kChunk);
    auto reply = request.Sync();
    if (!reply) return std::move(reply).error();
    const auto data = reply->getData();
    if (data.size() == 0) return Status();
    Status written = Print(data);
    if (!written.ok()) return written;
    offset += data.size();
  }
}

// As Cat, the other way.
Status Put(const FileServerClient& server, const std::string& local, const std::string& path) {
  auto from = OpenLocal(local);
  if (!from) return std::move(from).error();
  auto file = Open(server, path, Access::WRITE);
  if (!file) return std::move(file).error();
  std::vector<kj::byte> chunk(kChunk);
  for (uint64_t offset = 0;;) {
    auto size = ReadAt(*from, offset, kj::arrayPtr(chunk.data(), chunk.size()));
    if (!size) return std::move(size).error();
    if (*size == 0) return Status();
    auto request = file->Write();
    request->setOffset(offset);
    request->setData(kj::arrayPtr(chunk.data(), *size));
    auto reply = request.Sync();
    if (!reply) return std::move(reply).error();
    offset += *size;
  }
}

// Past the server: it hands over the open file.
Status Copy(const FileServerClient& server, const std::string& path, const std::string& local) {
  auto request = server.OpenDescriptor();
  request->setPath(path);
  request->setAccess(Access::READ);
  auto reply = request.Sync();
  if (!reply) return std::move(reply).error();
  auto from = reply->takeFile();
  if (!from) return std::move(from).error();
  auto to = MakeLocal(local);
  return to ? CopyRest(*from, *to) : std::move(to).error();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Asks a file server.");
  app.allow_windows_style_options(false);  // A path begins with a slash.
  std::string endpoint;
  std::string path;
  std::string local;
  app.add_option("--endpoint", endpoint, "Where it listens, as unix:/run/files.sock")->required();
  app.require_subcommand(1);
  auto* whoami = app.add_subcommand("whoami", "Prints whom the server sees");
  auto* cat = app.add_subcommand("cat", "Prints a file, read by the server");
  cat->add_option("PATH", path, "from the exported folder, as /a/b")->required();
  auto* put = app.add_subcommand("put", "Sends a file, written by the server");
  put->add_option("LOCAL", local)->required();
  put->add_option("REMOTE", path)->required();
  auto* copy = app.add_subcommand("cp", "Copies a file that the server only opens");
  copy->add_option("REMOTE", path)->required();
  copy->add_option("LOCAL", local)->required();
  CLI11_PARSE(app, argc, argv);

  lwmsg::BlockingClient connection(endpoint);
  const FileServerClient server(connection);
  Status status;
  if (whoami->parsed()) status = WhoAmI(server);
  if (cat->parsed()) status = Cat(server, path);
  if (put->parsed()) status = Put(server, local, path);
  if (copy->parsed()) status = Copy(server, path, local);
  if (!status.ok()) std::cerr << "file_client: " << status << '\n';
  return status.ok() ? 0 : 1;
}
