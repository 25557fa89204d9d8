#include <algorithm>

#include "emit.h"
#include "text_writer.h"

namespace lwmsg::codegen {
namespace {

bool HasObjectFields(const File& file) {
  for (const Interface* interface : file.interfaces) {
    for (const Method& method : interface->methods) {
      for (const Payload* payload : {&method.params, &method.results}) {
        for (const HandleField& field : payload->handles) {
          if (!field.object.empty()) return true;
        }
      }
    }
  }
  return false;
}

// "lwmsg::StreamCall", say.
std::string Template(MethodKind kind, const std::string& what) {
  switch (kind) {
    case MethodKind::kCall:
      break;
    case MethodKind::kOneWay:
      return "lwmsg::OneWay" + what;
    case MethodKind::kStream:
      return "lwmsg::Stream" + what;
  }
  return "lwmsg::" + what;
}

class HeaderEmitter {
 public:
  explicit HeaderEmitter(const File& file) : file_(file) {}

  std::string Run() {
    out_.Line(Banner(file_));
    out_.Line("#pragma once");
    out_.Line();
    Includes();
    if (file_.interfaces.empty()) return out_.text();
    out_.Line();
    if (!file_.cpp_namespace.empty()) {
      out_.Line("namespace " + file_.cpp_namespace + " {");
      out_.Line();
    }
    for (const Interface* interface : file_.interfaces) {
      interface_ = interface;
      ProtocolConstant();
      for (const Method& method : interface->methods) Wrappers(method);
      ServiceClass();
      ClientClass();
    }
    if (!file_.cpp_namespace.empty()) {
      out_.Line();
      out_.Line("}  // namespace " + file_.cpp_namespace);
    }
    return out_.text();
  }

 private:
  void Includes();
  void ProtocolConstant();
  void Wrappers(const Method& method);
  void Wrapper(const Payload& payload, const std::string& what);
  void WrapperReader(const Payload& payload);
  void WrapperBuilder(const Payload& payload);
  void TakeFunction(const HandleField& field);
  void SetFunction(const HandleField& field);
  void SetFunction(const HandleField& field, const std::string& head, const std::string& call,
                   const std::string& argument);
  void ServiceClass();
  void ClientClass();
  // What stands before the declarations of the methods of one interface.
  void InheritedFrom(const Interface& declarer);
  // `lwmsg::Call<P, R>`, or what goes with it for one-way methods and for requests.
  void MethodAlias(const Interface& declarer, const Method& method, const std::string& kind);
  std::string PayloadName(const Interface& declarer, const Payload& payload) const;

  const File& file_;
  const Interface* interface_ = nullptr;
  TextWriter out_;
};

void HeaderEmitter::Includes() {
  std::vector<std::string> system;
  std::vector<std::string> local = {"\"" + BaseName(file_.path) + ".h\""};
  if (!file_.interfaces.empty()) {
    system = {"<lwmsg/call.h>", "<lwmsg/protocol.h>", "<lwmsg/request.h>", "<lwmsg/service.h>"};
  }
  for (const std::string& include : file_.includes) {
    (include[0] == '<' ? system : local).push_back(include);
  }
  std::sort(system.begin(), system.end());
  std::sort(local.begin(), local.end());
  for (const std::string& include : system) out_.Line("#include " + include);
  if (!file_.interfaces.empty()) {
    out_.Line();
    if (HasObjectFields(file_)) out_.Line("#include <memory>");
    out_.Line("#include <utility>");
    out_.Line();
  }
  for (const std::string& include : local) out_.Line("#include " + include);
}

void HeaderEmitter::ProtocolConstant() {
  if (interface_ != file_.interfaces.front()) out_.Line();
  out_.Comment("What " + interface_->name + " says: its id, version and methods.");
  out_.Line("extern const lwmsg::Protocol k" + interface_->cpp_name + "Protocol;");
  out_.Line();
}

void HeaderEmitter::Wrappers(const Method& method) {
  const std::string name = interface_->name + "." + method.name;
  if (!method.params.handles.empty()) Wrapper(method.params, "The params of " + name);
  if (!method.results.handles.empty()) Wrapper(method.results, "The results of " + name);
}

void HeaderEmitter::Wrapper(const Payload& payload, const std::string& what) {
  out_.Comment({what + ", with owners for their handles:",
                "takeX() and setX() are lwmsg::IncomingHandles::Take and "
                "lwmsg::OutgoingHandles::Put."});
  out_.Line("struct " + payload.wrapper + " {");
  out_.Indent();
  out_.Assign("using Schema", "", payload.type, ";");
  out_.Line();
  WrapperReader(payload);
  out_.Line();
  WrapperBuilder(payload);
  out_.Outdent();
  out_.Line("};");
  out_.Line();
}

void HeaderEmitter::WrapperReader(const Payload& payload) {
  out_.Line("class Reader : public Schema::Reader {");
  out_.Line(" public:");
  out_.Indent();
  out_.Line("Reader(Schema::Reader reader, lwmsg::IncomingHandles& handles)");
  out_.Line("    : Schema::Reader(reader), handles_(&handles) {}");
  out_.Line();
  for (const HandleField& field : payload.handles) TakeFunction(field);
  out_.Outdent();
  out_.Line();
  out_.Line(" private:");
  out_.Line("  lwmsg::IncomingHandles* handles_;");
  out_.Line("};");
}

void HeaderEmitter::WrapperBuilder(const Payload& payload) {
  out_.Line("class Builder : public Schema::Builder {");
  out_.Line(" public:");
  out_.Indent();
  out_.Line("Builder(Schema::Builder builder, lwmsg::OutgoingHandles& handles)");
  out_.Line("    : Schema::Builder(builder), handles_(&handles) {}");
  out_.Line();
  for (const HandleField& field : payload.handles) SetFunction(field);
  out_.Outdent();
  out_.Line();
  out_.Line(" private:");
  out_.Line("  lwmsg::OutgoingHandles* handles_;");
  out_.Line("};");
}

void HeaderEmitter::TakeFunction(const HandleField& field) {
  out_.Comment(field.doc);
  const std::string type = field.is_memory        ? "lwmsg::SharedMemory"
                           : field.object.empty() ? "lwmsg::OsHandle"
                                                  : "lwmsg::Handle<" + field.object + ">";
  const std::string head = "lwmsg::Result<" + type + "> take" + field.cpp_name + "()";
  const std::string take = "return handles_->Take(";
  if (!field.in_union) return out_.Function(head, take, {"get" + field.cpp_name + "()"}, ");");
  out_.Line(head + " {");
  out_.Indent();
  out_.Line("if (!is" + field.cpp_name + "()) {");
  out_.Indent();
  out_.List("return lwmsg::Error(",
            {"lwmsg::StatusCode::kNotFound", "\"" + field.name + " is not what the union holds\""},
            ");");
  out_.Outdent();
  out_.Line("}");
  out_.Line(take + "get" + field.cpp_name + "());");
  out_.Outdent();
  out_.Line("}");
}

void HeaderEmitter::SetFunction(const HandleField& field) {
  const std::string set = "set" + field.cpp_name;
  if (field.is_memory) {
    return SetFunction(field, "void " + set + "(lwmsg::WritableMemory memory)", "handles_->Put(",
                       "std::move(memory)");
  }
  if (field.object.empty()) {
    // An earlier slot is kept, so that the handle which it names is replaced and not forgotten.
    return SetFunction(field, "void " + set + "(lwmsg::OsHandle handle)", "handles_->Put(",
                       "std::move(handle)");
  }
  SetFunction(field, "void " + set + "(const lwmsg::Handle<" + field.object + ">& handle)",
              "handles_->Put(", "handle");
  out_.Line("template <typename Object>");
  SetFunction(field, "lwmsg::Status " + set + "(const std::shared_ptr<Object>& object)",
              "return handles_->Register(", "object");
}

void HeaderEmitter::SetFunction(const HandleField& field, const std::string& head,
                                const std::string& call, const std::string& argument) {
  const std::vector<std::string> arguments = {"get" + field.cpp_name + "()", argument};
  if (!field.in_union) return out_.Function(head, call, arguments, ");");
  out_.Line(head + " {");
  out_.Indent();
  out_.Line("if (!is" + field.cpp_name + "()) init" + field.cpp_name + "();");
  out_.List(call, arguments, ");");
  out_.Outdent();
  out_.Line("}");
}

void HeaderEmitter::ServiceClass() {
  const std::string name = interface_->cpp_name + "Service";
  out_.Comment(interface_->doc);
  if (!interface_->doc.empty()) out_.Line("//");
  out_.Comment("Implement this to serve " + interface_->name +
               ". Methods run on the association's loop.");
  out_.Line("class " + name + " : public lwmsg::Service {");
  out_.Line(" public:");
  out_.Indent();
  for (const auto& [declarer, methods] : AllMethods(*interface_)) {
    for (const Method& method : *methods) MethodAlias(*declarer, method, "Call");
  }
  for (const auto& [declarer, methods] : AllMethods(*interface_)) {
    if (methods->empty()) continue;
    out_.Line();
    InheritedFrom(*declarer);
    for (const Method& method : *methods) {
      out_.Comment(method.doc);
      out_.Line("virtual void " + method.cpp_name + "(" + method.cpp_name + "Call call) = 0;");
    }
  }
  if (out_.text().back() == '\n' && !out_.text().ends_with("public:\n")) out_.Line();
  out_.Line("const lwmsg::Protocol& protocol() const final;");
  out_.Outdent();
  out_.Line();
  out_.Line(" private:");
  out_.Line("  void DispatchIncoming(lwmsg::IncomingCall call) final;");
  out_.Line("};");
  out_.Line();
}

void HeaderEmitter::ClientClass() {
  const std::string name = interface_->cpp_name + "Client";
  out_.Comment("Calls " + interface_->name +
               " over a channel: a Client, a BlockingClient, or the channel of a received call; "
               "or the object that a Handle names.");
  out_.Line("class " + name + " {");
  out_.Line(" public:");
  out_.Indent();
  const size_t start = out_.text().size();
  for (const auto& [declarer, methods] : AllMethods(*interface_)) {
    for (const Method& method : *methods) MethodAlias(*declarer, method, "Request");
  }
  if (out_.text().size() != start) out_.Line();
  out_.Constructor("explicit " + name + "(lwmsg::Channel channel)", "channel_(std::move(channel))");
  out_.Constructor(
      "explicit " + name + "(const lwmsg::Handle<" + interface_->cpp_type + ">& object)",
      "channel_(object.channel())");
  for (const auto& [declarer, methods] : AllMethods(*interface_)) {
    if (methods->empty()) continue;
    out_.Line();
    InheritedFrom(*declarer);
    const std::string protocol = NameIn(file_, *declarer, "k" + declarer->cpp_name + "Protocol");
    for (const Method& method : *methods) {
      const std::string request = method.cpp_name + "Request";
      out_.Comment(method.doc);
      out_.Function(request + " " + method.cpp_name + "() const", "return " + request + "(",
                    {"channel_", protocol, std::to_string(method.ordinal)}, ");");
    }
  }
  out_.Outdent();
  out_.Line();
  out_.Line(" private:");
  out_.Line("  lwmsg::Channel channel_;");
  out_.Line("};");
}

void HeaderEmitter::InheritedFrom(const Interface& declarer) {
  if (&declarer != interface_) out_.Comment("From " + declarer.name + ".");
}

void HeaderEmitter::MethodAlias(const Interface& declarer, const Method& method,
                                const std::string& kind) {
  std::vector<std::string> arguments = {PayloadName(declarer, method.params)};
  if (method.kind != MethodKind::kOneWay) {
    arguments.push_back(PayloadName(declarer, method.results));
  }
  out_.Alias(method.cpp_name + kind, Template(method.kind, kind), arguments);
}

std::string HeaderEmitter::PayloadName(const Interface& declarer, const Payload& payload) const {
  if (payload.handles.empty()) return "lwmsg::Plain<" + payload.type + ">";
  return NameIn(file_, declarer, payload.wrapper);
}

}  // namespace

std::string EmitHeader(const File& file) { return HeaderEmitter(file).Run(); }

}  // namespace lwmsg::codegen
