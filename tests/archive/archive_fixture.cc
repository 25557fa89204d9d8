#include "tests/archive/archive_fixture.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "lwmsg/internal/reached_schemas.h"
#include "runtime/archive_block.h"
#include "runtime/archive_schema.h"

namespace lwmsg::test {

std::vector<std::string> ArchiveFixture::Files() const {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string ArchiveFixture::Content(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void ArchiveFixture::SetContent(const std::string& path, const std::string& content) {
  // Some file systems write a file that was cut to nothing to the disk at once, which takes its
  // time.
  std::filesystem::remove(path);
  std::ofstream(path, std::ios::binary) << content;
}

Status ArchiveFixture::AddNote(ArchiveWriter& writer, const std::string& title) {
  capnp::MallocMessageBuilder message;
  auto params = message.initRoot<AddParams>();
  params.initNote().setTitle(title);
  return writer.Write(params);
}

void ArchiveFixture::WriteNotes(const std::vector<std::string>& titles, const std::string& name) {
  auto writer = ArchiveWriter::Create(Path(name), Known());
  ASSERT_TRUE(writer) << writer.error();
  for (const std::string& title : titles) ASSERT_EQ(AddNote(*writer, title), Status());
  ASSERT_EQ(writer->Finish(), Status());
}

std::vector<std::string> ArchiveFixture::Titles(const std::string& name,
                                                const ArchiveReaderOptions& options) {
  std::vector<std::string> titles;
  auto reader = ArchiveReader::Open(Path(name), Known(), options);
  if (!reader) return {reader.error().message()};
  auto record = reader->Next();
  for (; record && *record; record = reader->Next()) {
    auto params = (*record)->As<AddParams>();
    titles.push_back(params ? params->getNote().getTitle().cStr() : params.error().message());
  }
  if (!record) titles.push_back(record.error().message());
  return titles;
}

void ArchiveFixture::WriteOtherVersion(
    const std::string& types, const std::string& methods, uint16_t method,
    const std::function<void(capnp::DynamicStruct::Builder)>& fill) {
  ParsedSchema schema(types + " interface Notes @0xf19d5c3a7e0b8264 {" + methods + "}");
  const capnp::InterfaceSchema interface[] = {schema.Interface("Notes")};
  std::string content;
  const auto append = [&](capnp::MessageBuilder& message) {
    const auto block = internal::MakeBlock(message);
    content.append(block.begin(), block.end());
  };
  capnp::MallocMessageBuilder first;
  auto header = first.initRoot<archive::Block>().initHeader();
  header.initInterfaces(1)[0].setId(interface[0].getProto().getId());
  header.adoptNodes(std::move(*internal::CollectNodes(interface, first.getOrphanage())));
  append(first);
  capnp::MallocMessageBuilder second;
  auto record = second.initRoot<archive::Block>().initRecord();
  record.setInterfaceId(interface[0].getProto().getId());
  record.setMethod(method);
  fill(record.getMessage().initAs<capnp::DynamicStruct>(
      interface[0].getMethods()[method].getParamType()));
  append(second);
  capnp::MallocMessageBuilder last;
  last.initRoot<archive::Block>().setEnd(1);
  append(last);
  SetContent(Path(), content);
}

}  // namespace lwmsg::test
