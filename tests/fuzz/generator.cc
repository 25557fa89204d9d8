// The generator, on requests as the schema compiler makes them and changed ones, as far as their
// schemas are sound; and its search for lines in schema files of any text.
#include <capnp/message.h>
#include <capnp/serialize.h>
#include <kj/exception.h>

#include <map>
#include <optional>
#include <string>

#include "emit.h"
#include "lwmsg/fuzz/words.h"
#include "lwmsg/internal/reached_schemas.h"
#include "schema_index.h"
#include "schema_model.h"
#include "source_lines.h"
#include "tests/fuzz/target.h"

namespace lwmsg::test {
namespace {

using capnp::schema::CodeGeneratorRequest;
using capnp::schema::Node;

void FindLines(Input& input) {
  const auto rest = input.Rest();
  const std::string text(rest.begin(), rest.end());
  const codegen::SourceLines lines(text);
  Require(lines.Find({"Broker", "open", "$Params", "name"}) >= 0, "a line is a number");
}

using NodesById = std::map<uint64_t, Node::Reader>;

// What is around the node, up to its file; nothing if that is not there.
std::optional<Node::Reader> FileOf(const NodesById& nodes, Node::Reader node) {
  for (size_t depth = 0; depth <= nodes.size(); ++depth) {
    if (node.isFile()) return node;
    const auto around = nodes.find(node.getScopeId());
    if (around == nodes.end()) return std::nullopt;
    node = around->second;
  }
  return std::nullopt;
}

// What the generator relies on, as the request is by a compiler that has parsed a file: each
// declaration stands in a file and has that one's name in its own. A list of parameters stands
// nowhere, and its name has a "$".
bool AsParsed(capnp::List<Node>::Reader list) {
  NodesById nodes;
  for (auto node : list) nodes.emplace(node.getId(), node);
  for (auto node : list) {
    const std::string name = node.getDisplayName().cStr();
    if (node.getScopeId() == 0 && name.find('$') != std::string::npos) continue;
    const auto file = FileOf(nodes, node);
    if (!file) return false;
    const std::string stem = file->getDisplayName().cStr();
    if (!node.isFile() && (!name.starts_with(stem + ":") || name.rfind(':') != stem.size()))
      return false;
    for (auto nested : node.getNestedNodes()) {
      const auto found = nodes.find(nested.getId());
      if (found != nodes.end() && found->second.getScopeId() != node.getId()) return false;
    }
  }
  return true;
}

bool Sound(capnp::List<Node>::Reader nodes) {
  if (nodes.size() > 500) return false;
  auto schema = internal::ForeignSchema::Load(nodes);
  if (!schema) return false;
  for (auto node : nodes) {
    if (node.isInterface() && !(*schema)->Interface(node.getId())) return false;
  }
  return AsParsed(nodes);
}

void Generate(CodeGeneratorRequest::Reader request) {
  using namespace codegen;
  const SchemaIndex index(request, "/nowhere");
  Diagnostics diagnostics;
  const Model model = BuildModel(index, diagnostics);
  if (!diagnostics.errors().empty()) return;
  for (const File& file : model.files) {
    const size_t size = EmitHeader(file).size() + EmitSource(file).size();
    Require(size > 0 && !OutputStem(file.path).empty(), "each file has code");
  }
}

void Request(Input& input) {
  const auto words = fuzz::WordsOf(input.Rest());
  // As main does.
  try {
    capnp::FlatArrayMessageReader message(words);
    capnp::MallocMessageBuilder copy;
    copy.setRoot(message.getRoot<CodeGeneratorRequest>());
    auto request = copy.getRoot<CodeGeneratorRequest>();
    if (!Sound(request.asReader().getNodes())) return;
    // No file of this machine.
    unsigned number = 0;
    for (auto file : request.getRequestedFiles()) {
      file.setFilename("none" + std::to_string(number++) + ".capnp");
    }
    Generate(request);
  } catch (const kj::Exception&) {
    return;
  } catch (const std::exception&) {
    return;
  }
}

}  // namespace
}  // namespace lwmsg::test

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  lwmsg::test::Input input({data, size});
  // A request begins with a word that is its segment table, so that a saved one can be used as it
  // is.
  if (size > 0 && data[0] != 0) {
    lwmsg::test::FindLines(input);
  } else {
    lwmsg::test::Request(input);
  }
  return 0;
}
