// capnpc-lwmsg: the Cap'n Proto plugin that writes FILE.lwmsg.h and FILE.lwmsg.cc for each schema
// file into the current folder. `capnp compile -ocapnpc-lwmsg ...` runs it; see README.md.

#include <capnp/serialize.h>
#include <kj/exception.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "emit.h"
#include "schema_index.h"
#include "schema_model.h"
#include "standard_input.h"

namespace lwmsg::codegen {
namespace {

// The plugin runs in the output folder, so the schemas, which it reads to tell line numbers, have
// to be found. lwmsg_generate() sets the variable; PWD is where a shell started `capnp`.
std::string SourceDir() {
  for (const char* variable : {"LWMSG_SOURCE_DIR", "PWD"}) {
    const char* value = std::getenv(variable);
    if (value != nullptr) return value;
  }
  return "";
}

bool WriteFile(const std::string& name, const std::string& text) {
  const std::filesystem::path path(name);
  std::error_code ignored;  // What matters is whether the file can be written.
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), ignored);
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (!out) std::fprintf(stderr, "%s: error: cannot be written\n", name.c_str());
  return static_cast<bool>(out);
}

int Run() {
  capnp::ReaderOptions options;
  options.traversalLimitInWords = 1 << 30;  // The request comes from the compiler, and may be long.
  capnp::StreamFdMessageReader message(StandardInput(), options);
  const SchemaIndex index(message.getRoot<CodeGeneratorRequest>(), SourceDir());
  Diagnostics diagnostics;
  const Model model = BuildModel(index, diagnostics);
  for (const std::string& error : diagnostics.errors()) {
    std::fprintf(stderr, "%s\n", error.c_str());
  }
  if (!diagnostics.errors().empty()) return 1;
  for (const File& file : model.files) {
    const std::string stem = OutputStem(file.path);
    if (!WriteFile(stem + ".h", EmitHeader(file))) return 1;
    if (!WriteFile(stem + ".cc", EmitSource(file))) return 1;
  }
  return 0;
}

}  // namespace
}  // namespace lwmsg::codegen

int main() {
  try {
    return lwmsg::codegen::Run();
  } catch (const kj::Exception& error) {
    std::fprintf(stderr, "capnpc-lwmsg: error: %s\n", error.getDescription().cStr());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "capnpc-lwmsg: error: %s\n", error.what());
  }
  return 1;
}
