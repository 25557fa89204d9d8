#include "tests/support/schema_text_parser.h"

#include <fstream>
#include <iterator>

namespace lwmsg::test {
namespace {

// Not by a directory of Cap'n Proto's: those ask Windows what Wine does not know.
void Copy(const kj::Directory& to, const std::string& folder, const char* name) {
  std::ifstream file(folder + "/" + name, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  to.openFile(kj::Path::parse(name), kj::WriteMode::CREATE | kj::WriteMode::CREATE_PARENT)
      ->writeAll(text);
}

}  // namespace

ParsedSchema::ParsedSchema(const std::string& text)
    : folder_(kj::newInMemoryDirectory(kj::nullClock())),
      imports_(kj::newInMemoryDirectory(kj::nullClock())),
      parser_(std::make_unique<capnp::SchemaParser>()) {
  const std::string source =
      "@0xd1e2f3a4b5c69788;\nusing Lwmsg = import \"/lwmsg/lwmsg.capnp\";\n" + text;
  const kj::Path path("test.capnp");
  folder_->openFile(path, kj::WriteMode::CREATE)->writeAll(source);
  Copy(*imports_, LWMSG_TEST_IMPORTS, "lwmsg/lwmsg.capnp");
  Copy(*imports_, LWMSG_TEST_CAPNP_IMPORTS, "capnp/c++.capnp");
  const kj::ReadableDirectory* folders[] = {imports_};
  file_ = parser_->parseFromDirectory(*folder_, path.clone(), folders);
}

capnp::InterfaceSchema ParsedSchema::Interface(const char* name) const {
  return file_.getNested(name).asInterface();
}

}  // namespace lwmsg::test
