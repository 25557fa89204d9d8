#include "schema_index.h"

#include <filesystem>
#include <fstream>
#include <sstream>

namespace lwmsg::codegen {
namespace {

std::vector<std::string> SplitLines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

// "tty.capnp:Broker.open$Params" is the file and {"Broker", "open", "$Params"}.
struct DisplayName {
  std::string file;
  std::string name;

  explicit DisplayName(capnp::Schema node) {
    const std::string text = node.getProto().getDisplayName().cStr();
    const size_t colon = text.rfind(':');
    file = text.substr(0, colon);
    if (colon != std::string::npos) name = text.substr(colon + 1);
  }

  std::vector<std::string> Path() const {
    std::vector<std::string> path(1);
    for (char c : name) {
      if (c == '.' || c == '$') path.emplace_back();
      if (c != '.') path.back() += c;
    }
    return path;
  }
};

}  // namespace

std::optional<capnp::schema::Value::Reader> FindAnnotation(Annotations annotations, uint64_t id) {
  for (auto annotation : annotations) {
    if (annotation.getId() == id) return annotation.getValue();
  }
  return std::nullopt;
}

SchemaIndex::SchemaIndex(CodeGeneratorRequest::Reader request, const std::string& source_dir)
    : request_(request) {
  for (auto node : request.getNodes()) loader_.load(node);
  for (auto info : request.getSourceInfo()) infos_.emplace(info.getId(), info);
  for (auto file : request.getRequestedFiles()) {
    const std::string name = file.getFilename().cStr();
    Source source{name, {}};
    for (const std::filesystem::path& candidate :
         {std::filesystem::path(source_dir) / name, std::filesystem::path(name)}) {
      std::ifstream in(candidate, std::ios::binary);
      if (!in) continue;
      std::ostringstream text;
      text << in.rdbuf();
      source = {candidate.generic_string(), SourceLines(text.str())};
      break;
    }
    sources_.emplace(loader_.get(file.getId()).getProto().getDisplayName().cStr(),
                     std::move(source));
  }
}

std::optional<capnp::Schema> SchemaIndex::ScopeOf(capnp::Schema node) const {
  const uint64_t id = node.getProto().getScopeId();
  if (id == 0) return std::nullopt;
  capnp::Schema scope = loader_.get(id);
  if (scope.getProto().isFile()) return std::nullopt;
  return scope;
}

std::optional<capnp::Schema> SchemaIndex::FileOf(capnp::Schema node) const {
  while (node.getProto().getScopeId() != 0) node = loader_.get(node.getProto().getScopeId());
  if (!node.getProto().isFile()) return std::nullopt;
  return node;
}

std::vector<std::string> SchemaIndex::NodeDoc(capnp::Schema node) const {
  auto found = infos_.find(node.getProto().getId());
  if (found == infos_.end()) return {};
  return SplitLines(found->second.getDocComment().cStr());
}

std::vector<std::string> SchemaIndex::MemberDoc(capnp::Schema node, uint32_t index) const {
  auto found = infos_.find(node.getProto().getId());
  if (found == infos_.end() || index >= found->second.getMembers().size()) return {};
  return SplitLines(found->second.getMembers()[index].getDocComment().cStr());
}

std::string SchemaIndex::ScopedName(capnp::Schema node) { return DisplayName(node).name; }

std::optional<Location> SchemaIndex::Locate(capnp::Schema node, const std::string& member) const {
  const DisplayName name(node);
  auto source = sources_.find(name.file);
  if (source == sources_.end()) return std::nullopt;
  std::vector<std::string> path = name.Path();
  if (!member.empty()) path.push_back(member);
  // What cannot be found is placed with what is around it.
  for (; !path.empty(); path.pop_back()) {
    const int line = source->second.lines.Find(path);
    if (line != 0) return Location{source->second.path, line};
  }
  return Location{source->second.path, 0};
}

Location SchemaIndex::LocateFile(capnp::Schema file) const {
  const std::string name = file.getProto().getDisplayName().cStr();
  auto source = sources_.find(name);
  return Location{source == sources_.end() ? name : source->second.path, 1};
}

}  // namespace lwmsg::codegen
