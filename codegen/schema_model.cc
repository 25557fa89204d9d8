#include "schema_model.h"

#include <algorithm>
#include <map>

#include "collisions.h"
#include "field_annotations.h"
#include "names.h"
#include "payload_reader.h"
#include "schema_hash.h"

namespace lwmsg::codegen {
namespace {

using RequestedFile = CodeGeneratorRequest::RequestedFile::Reader;

class ModelBuilder {
 public:
  ModelBuilder(const SchemaIndex& index, Diagnostics& diagnostics)
      : index_(index), diagnostics_(diagnostics) {}

  Model Run() {
    for (auto requested : index_.request().getRequestedFiles()) AddFile(requested);
    return std::move(model_);
  }

 private:
  void AddFile(RequestedFile requested);
  void AddInterfaces(capnp::Schema node, File& file);
  void AddIncludes(RequestedFile requested, File& file);

  // Null if the interface cannot be generated at all, which is reported. `user` is where to report
  // what is wrong with an interface that another file declares.
  const Interface* Find(capnp::Schema node, const Location& user);
  void AddBases(capnp::InterfaceSchema schema, const Location& where, Interface& interface);
  void AddMethod(capnp::InterfaceSchema::Method declared, const Location& user,
                 Interface& interface);
  static void ReadKind(capnp::InterfaceSchema::Method declared, Method& method);
  Payload ReadPayload(capnp::InterfaceSchema::Method method, capnp::StructSchema schema,
                      const std::string& list, PayloadReader& reader, const Interface& interface);

  void CheckNamespace(const std::string& name, capnp::Schema file);
  void CheckOnce(Annotations annotations, uint64_t id, const std::string& name,
                 const Location& where);
  bool CheckKind(capnp::InterfaceSchema::Method declared, const std::string& name,
                 const Location& where);
  bool CheckMethod(capnp::InterfaceSchema::Method method, const std::string& name,
                   const Location& where);

  const SchemaIndex& index_;
  Diagnostics& diagnostics_;
  Model model_;
  std::map<uint64_t, Interface*> interfaces_;
};

void ModelBuilder::AddFile(RequestedFile requested) {
  capnp::Schema node = index_.Get(requested.getId());
  File file{requested.getFilename().cStr(), CppNamespace(node), {}, {}};
  CheckNamespace(file.cpp_namespace, node);
  CheckAllFieldAnnotations(index_, node, diagnostics_);
  AddInterfaces(node, file);
  AddIncludes(requested, file);
  CheckFileNames(index_, file, node, diagnostics_);
  for (const Interface* interface : file.interfaces) {
    CheckMemberNames(index_, *interface, diagnostics_);
  }
  model_.files.push_back(std::move(file));
}

void ModelBuilder::AddInterfaces(capnp::Schema node, File& file) {
  for (auto nested : node.getProto().getNestedNodes()) {
    capnp::Schema declared = index_.Get(nested.getId());
    if (declared.getProto().isInterface()) {
      const Interface* found = Find(declared, *index_.Locate(declared));
      if (found != nullptr) {
        // A base that stands further down in the file must be there first.
        std::vector<const Interface*> order(found->bases.rbegin(), found->bases.rend());
        order.push_back(found);
        for (const Interface* interface : order) {
          auto& known = file.interfaces;
          const bool own = index_.FileOf(index_.Get(interface->id))->getProto().getId() ==
                           index_.FileOf(declared)->getProto().getId();
          if (own && std::find(known.begin(), known.end(), interface) == known.end()) {
            known.push_back(interface);
          }
        }
      }
    }
    AddInterfaces(declared, file);
  }
}

// The generated header of an imported schema, with its brackets or quotes.
std::string HeaderOf(const std::string& import) {
  const std::string header = import.substr(0, import.rfind(".capnp")) + ".lwmsg.h";
  return header[0] == '/' ? "<" + header.substr(1) + ">" : "\"" + header + "\"";
}

// As capnpc-c++ does, so that users need the same include folders for both.
void ModelBuilder::AddIncludes(RequestedFile requested, File& file) {
  for (const Interface* interface : file.interfaces) {
    capnp::Schema declared = index_.Get(interface->id);
    for (auto direct : declared.asInterface().getSuperclasses()) {
      const uint64_t base_file = index_.FileOf(direct)->getProto().getId();
      if (base_file == requested.getId()) continue;
      std::string include;
      for (auto import : requested.getImports()) {
        if (import.getId() != base_file) continue;
        include = import.getName().cStr();
      }
      if (include.empty()) {
        diagnostics_.Error(*index_.Locate(declared),
                           interface->name + " extends " + SchemaIndex::ScopedName(direct) +
                               " of " + index_.Get(base_file).getProto().getDisplayName().cStr() +
                               ", which this file does not import; import it here too");
        continue;
      }
      include = HeaderOf(include);
      auto& known = file.includes;
      if (std::find(known.begin(), known.end(), include) == known.end()) known.push_back(include);
    }
  }
}

const Interface* ModelBuilder::Find(capnp::Schema node, const Location& user) {
  auto proto = node.getProto();
  const Location where = index_.Locate(node).value_or(user);
  const std::string name = SchemaIndex::ScopedName(node);
  if (proto.getIsGeneric()) {
    diagnostics_.Error(where, "interface " + name +
                                  " is generic, and what is served must be one fixed type; remove "
                                  "the parameters, also those of the types around it");
    return nullptr;
  }
  auto [known, added] = interfaces_.emplace(proto.getId(), nullptr);
  if (!added) return known->second;
  auto& interface = *model_.interfaces.emplace_back(std::make_unique<Interface>());
  known->second = &interface;
  CheckOnce(proto.getAnnotations(), kVersionId, "$Lwmsg.version", where);
  auto version = FindAnnotation(proto.getAnnotations(), kVersionId);
  interface.id = proto.getId();
  interface.name = name;
  interface.cpp_name = CppFlatName(index_, node);
  interface.cpp_type = CppFullName(index_, node);
  interface.cpp_namespace = CppNamespace(*index_.FileOf(node));
  interface.type = CppFullName(index_, node);
  interface.version = version ? version->getUint32() : 0;
  interface.schema_hash = SchemaHash(index_, node.asInterface());
  interface.doc = index_.NodeDoc(node);
  AddBases(node.asInterface(), where, interface);
  for (auto method : node.asInterface().getMethods()) AddMethod(method, where, interface);
  return &interface;
}

void ModelBuilder::AddBases(capnp::InterfaceSchema schema, const Location& where,
                            Interface& interface) {
  auto& bases = interface.bases;
  auto add = [&bases](const Interface* base) {
    if (std::find(bases.begin(), bases.end(), base) == bases.end()) bases.push_back(base);
  };
  std::vector<const Interface*> direct;
  for (auto superclass : schema.getSuperclasses()) {
    const Interface* base = Find(superclass, where);
    if (base != nullptr) direct.push_back(base);
  }
  for (const Interface* base : direct) add(base);
  for (const Interface* base : direct) {
    for (const Interface* indirect : base->bases) add(indirect);
  }
}

void ModelBuilder::AddMethod(capnp::InterfaceSchema::Method declared, const Location& user,
                             Interface& interface) {
  auto proto = declared.getProto();
  capnp::Schema scope = declared.getContainingInterface();
  const Location where = index_.Locate(scope, proto.getName().cStr()).value_or(user);
  const std::string name = interface.name + "." + proto.getName().cStr();
  if (!CheckMethod(declared, name, where)) return;
  Method method;
  method.name = proto.getName().cStr();
  method.cpp_name = TitleCase(CppMemberName(proto));
  method.ordinal = declared.getOrdinal();
  ReadKind(declared, method);
  method.doc = index_.MemberDoc(scope, declared.getIndex());
  PayloadReader reader(index_, diagnostics_, where, name);
  method.params = ReadPayload(declared, declared.getParamType(), "params", reader, interface);
  method.results = ReadPayload(declared, declared.getResultType(), "results", reader, interface);
  interface.methods.push_back(std::move(method));
}

void ModelBuilder::ReadKind(capnp::InterfaceSchema::Method declared, Method& method) {
  auto annotations = declared.getProto().getAnnotations();
  auto stream = FindAnnotation(annotations, kStreamId);
  auto timeout = FindAnnotation(annotations, kTimeoutId);
  auto interface = declared.getContainingInterface().getProto().getAnnotations();
  method.kind = stream                                   ? MethodKind::kStream
                : FindAnnotation(annotations, kOneWayId) ? MethodKind::kOneWay
                                                         : MethodKind::kCall;
  method.blocking =
      FindAnnotation(annotations, kBlockingId) || FindAnnotation(interface, kBlockingId);
  method.window = stream ? stream->getUint16() : 0;
  if (timeout) method.timeout = timeout->getUint32();
}

Payload ModelBuilder::ReadPayload(capnp::InterfaceSchema::Method method, capnp::StructSchema schema,
                                  const std::string& list, PayloadReader& reader,
                                  const Interface& interface) {
  const std::string suffix = TitleCase(CppMemberName(method.getProto())) + TitleCase(list);
  Payload payload;
  const bool named = schema.getProto().getScopeId() != 0;
  payload.type = named ? CppFullName(index_, schema)
                       : CppFullName(index_, method.getContainingInterface()) + "::" + suffix;
  payload.wrapper = interface.cpp_name + suffix;
  payload.handles = reader.Read(schema, list);
  return payload;
}

std::string HidingText(const std::string& name, const std::string& hidden) {
  return "namespace " + name + " hides ::" + hidden +
         " from the generated code; choose another $Cxx.namespace";
}

// Generated code says lwmsg::Call and std::move, which must not find a namespace further in.
void ModelBuilder::CheckNamespace(const std::string& name, capnp::Schema file) {
  for (const std::string hidden : {"lwmsg", "std"}) {
    const std::string padded = name + "::";
    // NOLINTNEXTLINE(performance-inefficient-string-concatenation): two short words, once a file.
    if (padded.find("::" + hidden + "::") == std::string::npos) continue;
    diagnostics_.Error(index_.LocateFile(file), HidingText(name, hidden));
  }
}

void ModelBuilder::CheckOnce(Annotations annotations, uint64_t id, const std::string& name,
                             const Location& where) {
  int count = 0;
  for (auto annotation : annotations) {
    if (annotation.getId() == id) ++count;
  }
  if (count > 1) diagnostics_.Error(where, name + " is given more than once; keep one");
}

bool ModelBuilder::CheckKind(capnp::InterfaceSchema::Method declared, const std::string& name,
                             const Location& where) {
  auto annotations = declared.getProto().getAnnotations();
  CheckOnce(annotations, kOneWayId, "$Lwmsg.oneway", where);
  CheckOnce(annotations, kStreamId, "$Lwmsg.stream", where);
  CheckOnce(annotations, kTimeoutId, "$Lwmsg.timeout", where);
  Method method;
  ReadKind(declared, method);
  const bool one_way = FindAnnotation(annotations, kOneWayId).has_value();
  std::string wrong;
  if (one_way && method.kind == MethodKind::kStream) {
    wrong = "is both $Lwmsg.oneway and $Lwmsg.stream; keep one";
  } else if (method.kind == MethodKind::kStream && method.window == 0) {
    wrong = "is a stream with a window of 0, so that nothing could come; give at least 1";
  } else if (one_way && method.timeout) {
    wrong = "is $Lwmsg.oneway, so nobody waits; remove $Lwmsg.timeout";
  } else if (method.blocking && method.kind != MethodKind::kCall) {
    wrong =
        "blocks, but only a method with one reply may: nothing would hold back the callers of "
        "others; remove $Lwmsg.blocking";
  }
  if (!wrong.empty()) diagnostics_.Error(where, name + " " + wrong);
  return wrong.empty();
}

bool ModelBuilder::CheckMethod(capnp::InterfaceSchema::Method method, const std::string& name,
                               const Location& where) {
  auto proto = method.getProto();
  if (proto.getImplicitParameters().size() != 0) {
    diagnostics_.Error(where,
                       name +
                           " has type parameters of its own, which its callee could not know; "
                           "remove them, or use AnyPointer");
    return false;
  }
  if (proto.getResultStructType() == kStreamResultId) {
    diagnostics_.Error(where,
                       name +
                           " returns a stream in the manner of Cap'n Proto's RPC; mark a method "
                           "with results $Lwmsg.stream, or one without $Lwmsg.oneway");
    return false;
  }
  if (!CheckKind(method, name, where)) return false;
  if (!FindAnnotation(proto.getAnnotations(), kOneWayId)) return true;
  auto results = method.getResultType();
  if (results.getProto().getScopeId() == 0 && results.getFields().size() == 0) return true;
  diagnostics_.Error(where, name +
                                " is $Lwmsg.oneway, so nobody gets its results; remove one or the "
                                "other");
  return false;
}

}  // namespace

Model BuildModel(const SchemaIndex& index, Diagnostics& diagnostics) {
  return ModelBuilder(index, diagnostics).Run();
}

}  // namespace lwmsg::codegen
