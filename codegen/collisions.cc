#include "collisions.h"

#include <map>
#include <set>
#include <string>

#include "names.h"

namespace lwmsg::codegen {
namespace {

// Two things that clash mostly do so in several names; the first says enough.
class Reports {
 public:
  explicit Reports(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  void Add(const std::string& owners, const std::string& name, const Location& location) {
    if (!known_.insert(owners).second) return;
    diagnostics_.Error(location,
                       owners + " would both make the C++ name " + name +
                           "; rename one of them, or give it another name with $Cxx.name");
  }

 private:
  Diagnostics& diagnostics_;
  std::set<std::string> known_;
};

// The generated names of one C++ scope, each with what it was generated for.
class Scope {
 public:
  Scope(Reports& reports, std::string where) : reports_(reports), where_(std::move(where)) {}

  // Names that no method may have, but that may come more than once.
  void Reserve(const std::string& name, const std::string& owner) { owners_.emplace(name, owner); }

  void Add(const std::string& name, const std::string& owner, const Location& location) {
    auto [known, added] = owners_.emplace(name, owner);
    if (added) return;
    reports_.Add(owner + " and " + known->second, name + where_, location);
  }

 private:
  Reports& reports_;
  std::string where_;
  std::map<std::string, std::string> owners_;
};

void ReserveWrappers(const Interface& interface, Scope& scope) {
  for (const Method& method : interface.methods) {
    for (const Payload* payload : {&method.params, &method.results}) {
      if (payload->handles.empty()) continue;
      scope.Reserve(payload->wrapper, "the struct for " + interface.name + "." + method.name);
    }
  }
}

// `suffix` is that of the alias which goes with each method.
void CheckClass(const SchemaIndex& index, const Interface& interface, const std::string& class_name,
                const std::string& suffix, Reports& reports) {
  Scope scope(reports, " in " + class_name);
  scope.Reserve(class_name, "the class itself");
  std::vector<const Interface*> declaring = {&interface};
  declaring.insert(declaring.end(), interface.bases.begin(), interface.bases.end());
  for (const Interface* declarer : declaring) ReserveWrappers(*declarer, scope);
  for (const Interface* declarer : declaring) {
    for (const Method& method : declarer->methods) {
      const std::string owner = "method " + declarer->name + "." + method.name;
      capnp::Schema blamed = index.Get(interface.id);
      const Location location =
          *index.Locate(blamed, declarer == &interface ? method.name : std::string());
      scope.Add(method.cpp_name, owner, location);
      scope.Add(method.cpp_name + suffix, owner, location);
    }
  }
}

}  // namespace

void CheckMemberNames(const SchemaIndex& index, const Interface& interface,
                      Diagnostics& diagnostics) {
  Reports reports(diagnostics);
  CheckClass(index, interface, interface.cpp_name + "Service", "Call", reports);
  CheckClass(index, interface, interface.cpp_name + "Client", "Request", reports);
}

void CheckFileNames(const SchemaIndex& index, const File& file, capnp::Schema node,
                    Diagnostics& diagnostics) {
  Reports reports(diagnostics);
  Scope scope(reports, "");
  for (auto nested : node.getProto().getNestedNodes()) {
    capnp::Schema declared = index.Get(nested.getId());
    if (declared.getProto().isAnnotation()) continue;
    scope.Reserve(CppShortName(index, declared), std::string(nested.getName().cStr()));
  }
  for (const Interface* interface : file.interfaces) {
    capnp::Schema declared = index.Get(interface->id);
    const Location location = *index.Locate(declared);
    const std::string owner = "interface " + interface->name;
    for (const std::string& name :
         {"k" + interface->cpp_name + "Protocol", interface->cpp_name + "Service",
          interface->cpp_name + "Client"}) {
      scope.Add(name, owner, location);
    }
    for (const Method& method : interface->methods) {
      for (const Payload* payload : {&method.params, &method.results}) {
        if (payload->handles.empty()) continue;
        scope.Add(payload->wrapper, "method " + interface->name + "." + method.name,
                  *index.Locate(declared, method.name));
      }
    }
  }
}

}  // namespace lwmsg::codegen
