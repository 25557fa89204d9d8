#include <cstdio>

#include "emit.h"
#include "text_writer.h"

namespace lwmsg::codegen {
namespace {

std::string Hex(uint64_t value) {
  char text[19];
  std::snprintf(text, sizeof text, "0x%016llx", static_cast<unsigned long long>(value));
  return text;
}

const char* KindName(MethodKind kind) {
  switch (kind) {
    case MethodKind::kCall:
      return "kCall";
    case MethodKind::kOneWay:
      return "kOneWay";
    case MethodKind::kStream:
      return "kStream";
  }
  return "";
}

class SourceEmitter {
 public:
  explicit SourceEmitter(const File& file) : file_(file) {}

  std::string Run() {
    out_.Line(Banner(file_));
    out_.Line("#include \"" + BaseName(OutputStem(file_.path)) + ".h\"");
    if (file_.interfaces.empty()) return out_.text();
    out_.Line();
    if (!file_.cpp_namespace.empty()) {
      out_.Line("namespace " + file_.cpp_namespace + " {");
    }
    Tables();
    for (const Interface* interface : file_.interfaces) {
      interface_ = interface;
      if (interface != file_.interfaces.front()) out_.Line();
      ProtocolConstant();
      out_.Line();
      ServiceFunctions();
    }
    if (!file_.cpp_namespace.empty()) {
      out_.Line();
      out_.Line("}  // namespace " + file_.cpp_namespace);
    }
    return out_.text();
  }

 private:
  // In an unnamed namespace, if there are any.
  void Tables();
  void MethodTable();
  void PayloadType(const std::string& member, const Payload& payload);
  void BaseTable();
  void ProtocolConstant();
  void ServiceFunctions();
  void DispatchCases(const Interface& declarer);

  const File& file_;
  const Interface* interface_ = nullptr;
  TextWriter out_;
};

void SourceEmitter::Tables() {
  bool any = false;
  for (const Interface* interface : file_.interfaces) {
    interface_ = interface;
    for (const bool methods : {true, false}) {
      if (methods ? interface->methods.empty() : interface->bases.empty()) continue;
      if (!any) out_.Line("namespace {");
      any = true;
      out_.Line();
      if (methods) MethodTable();
      if (!methods) BaseTable();
    }
  }
  if (any) {
    out_.Line();
    out_.Line("}  // namespace");
  }
  if (any || !file_.cpp_namespace.empty()) out_.Line();
}

void SourceEmitter::MethodTable() {
  out_.Line("constexpr lwmsg::MethodInfo k" + interface_->cpp_name + "Methods[] = {");
  out_.Indent();
  out_.Indent();
  for (const Method& method : interface_->methods) {
    out_.Line("{");
    out_.Indent();
    out_.Indent();
    out_.Line(".name = \"" + method.name + "\",");
    out_.Line(std::string(".kind = lwmsg::MethodKind::") + KindName(method.kind) + ",");
    out_.Line(std::string(".blocking = ") + (method.blocking ? "true" : "false") + ",");
    out_.Line(".window = " + std::to_string(method.window) + ",");
    out_.Line(".timeout = " + (method.timeout ? std::to_string(*method.timeout) : "{}") + ",");
    PayloadType(".params", method.params);
    PayloadType(".results", method.results);
    out_.Outdent();
    out_.Outdent();
    out_.Line("},");
  }
  out_.Outdent();
  out_.Outdent();
  out_.Line("};");
}

void SourceEmitter::PayloadType(const std::string& member, const Payload& payload) {
  out_.Assign(member, "&lwmsg::internal::PayloadTypeOf<", payload.type, ">,");
}

void SourceEmitter::BaseTable() {
  out_.Line("constexpr const lwmsg::Protocol* k" + interface_->cpp_name + "Bases[] = {");
  for (const Interface* base : interface_->bases) {
    out_.Line("    &" + NameIn(file_, *base, "k" + base->cpp_name + "Protocol") + ",");
  }
  out_.Line("};");
}

void SourceEmitter::ProtocolConstant() {
  const std::string name = "k" + interface_->cpp_name;
  out_.Line("constinit const lwmsg::Protocol " + name + "Protocol = {");
  out_.Line("    .id = " + Hex(interface_->id) + ",");
  out_.Line("    .name = \"" + interface_->name + "\",");
  out_.Line("    .version = " + std::to_string(interface_->version) + ",");
  out_.Line("    .schema_hash = " + Hex(interface_->schema_hash) + ",");
  out_.Line("    .methods = " + (interface_->methods.empty() ? "{}" : name + "Methods") + ",");
  out_.Line("    .bases = " + (interface_->bases.empty() ? "{}" : name + "Bases") + ",");
  out_.Assign(".schema", "&lwmsg::internal::SchemaOf<", interface_->type, ">,");
  out_.Line("};");
}

void SourceEmitter::ServiceFunctions() {
  const std::string name = interface_->cpp_name + "Service";
  out_.Function("const lwmsg::Protocol& " + name + "::protocol() const", "return ",
                {"k" + interface_->cpp_name + "Protocol"}, ";");
  out_.Line();
  bool any = false;
  for (const auto& all : AllMethods(*interface_)) any = any || !all.methods->empty();
  if (!any) {
    return out_.Line("void " + name + "::DispatchIncoming(lwmsg::IncomingCall /*call*/) {}");
  }
  out_.Line("void " + name + "::DispatchIncoming(lwmsg::IncomingCall call) {");
  out_.Line("  switch (call.interface_id()) {");
  out_.Indent();
  out_.Indent();
  for (const auto& all : AllMethods(*interface_)) {
    if (!all.methods->empty()) DispatchCases(*all.declarer);
  }
  out_.Outdent();
  out_.Outdent();
  out_.Line("  }");
  out_.Line("}");
}

void SourceEmitter::DispatchCases(const Interface& declarer) {
  out_.Line("case " + Hex(declarer.id) + ":  // " + declarer.name);
  out_.Indent();
  out_.Line("switch (call.method()) {");
  for (const Method& method : declarer.methods) {
    out_.Line("  case " + std::to_string(method.ordinal) + ":");
    out_.Line("    return " + method.cpp_name + "(" + method.cpp_name + "Call(std::move(call)));");
  }
  out_.Line("}");
  out_.Line("break;");
  out_.Outdent();
}

}  // namespace

std::string EmitSource(const File& file) { return SourceEmitter(file).Run(); }

}  // namespace lwmsg::codegen
