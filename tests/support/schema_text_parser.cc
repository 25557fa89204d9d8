#include "tests/support/schema_text_parser.h"

namespace lwmsg::test {

ParsedSchema::ParsedSchema(const std::string& text)
    : disk_(kj::newDiskFilesystem()),
      folder_(kj::newInMemoryDirectory(kj::nullClock())),
      parser_(std::make_unique<capnp::SchemaParser>()) {
  const std::string source =
      "@0xd1e2f3a4b5c69788;\nusing Lwmsg = import \"/lwmsg/lwmsg.capnp\";\n" + text;
  const kj::Path path("test.capnp");
  folder_->openFile(path, kj::WriteMode::CREATE)->writeAll(source);
  const auto open = [this](kj::StringPtr folder) {
    return disk_->getRoot().openSubdir(disk_->getCurrentPath().evalNative(folder));
  };
  imports_ = open(LWMSG_TEST_IMPORTS);
  capnp_imports_ = open(LWMSG_TEST_CAPNP_IMPORTS);
  const kj::ReadableDirectory* folders[] = {imports_, capnp_imports_};
  file_ = parser_->parseFromDirectory(*folder_, path.clone(), folders);
}

capnp::InterfaceSchema ParsedSchema::Interface(const char* name) const {
  return file_.getNested(name).asInterface();
}

}  // namespace lwmsg::test
