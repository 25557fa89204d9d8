#include "lwmsg/internal/schema_difference.h"

#include <capnp/any.h>
#include <kj/exception.h>
#include <lwmsg/lwmsg.capnp.h>

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <utility>

#include "lwmsg/internal/annotations.h"
#include "lwmsg/internal/reached_schemas.h"
#include "lwmsg/internal/schema_text.h"

namespace lwmsg::internal {
namespace {

using capnp::schema::Field;
using capnp::schema::Node;
using Which = capnp::schema::Type::Which;

constexpr size_t kMaxDifferences = 20;
// Both sides reach no more types than that, but they could be paired in very many ways.
constexpr size_t kMaxPairs = 4 * kMaxReachedTypes;
constexpr size_t kMaxPathBytes = 200;
// The place in a union: a field of no union is like the first of one, as it was before the union
// came.
uint16_t Discriminant(Field::Reader field) {
  return field.getDiscriminantValue() == Field::NO_DISCRIMINANT ? 0 : field.getDiscriminantValue();
}

bool IsLwmsgType(uint64_t id) {
  return id == capnp::typeId<schema::OsHandle>() || id == capnp::typeId<schema::Handle<>>();
}

bool SameValue(capnp::schema::Value::Reader left, capnp::schema::Value::Reader right) {
  const auto a = capnp::AnyStruct::Reader(left).canonicalize();
  const auto b = capnp::AnyStruct::Reader(right).canonicalize();
  return a.asBytes() == b.asBytes();
}

// A field may have moved into a new group, of which it is the first. Nothing for a group without
// fields.
std::optional<capnp::StructSchema::Field> FirstSlot(capnp::StructSchema::Field field) {
  while (field.getProto().isGroup()) {
    auto fields = field.getType().asStruct().getFields();
    if (fields.size() == 0 || Discriminant(fields[0].getProto()) != 0) return std::nullopt;
    field = fields[0];
  }
  return field;
}

class Comparison {
 public:
  void Run(capnp::InterfaceSchema ours, capnp::InterfaceSchema theirs) {
    std::vector<std::pair<capnp::InterfaceSchema, capnp::InterfaceSchema>> interfaces = {
        {ours, theirs}};
    for (size_t next = 0; next < interfaces.size(); ++next) {
      auto [our, their] = interfaces[next];
      Methods(our, their);
      for (auto base : our.getSuperclasses()) {
        const uint64_t id = base.getProto().getId();
        const bool known = std::any_of(interfaces.begin(), interfaces.end(), [&](auto& pair) {
          return pair.first.getProto().getId() == id;
        });
        for (auto their_base : their.getSuperclasses()) {
          if (their_base.getProto().getId() != id || known) continue;
          interfaces.emplace_back(base, their_base);
          break;
        }
      }
    }
  }

  std::vector<std::string> TakeDifferences() { return std::move(differences_); }

 private:
  struct Pair {
    capnp::StructSchema ours;
    capnp::StructSchema theirs;
    std::string path;
  };
  struct Hash {
    size_t operator()(const capnp::Schema& schema) const { return schema.hashCode(); }
  };

  void Methods(capnp::InterfaceSchema ours, capnp::InterfaceSchema theirs) {
    auto our_methods = ours.getMethods();
    auto their_methods = theirs.getMethods();
    for (unsigned i = 0; i < std::min(our_methods.size(), their_methods.size()) && !full(); ++i) {
      auto our = our_methods[i];
      auto their = their_methods[i];
      const std::string name =
          ScopedName(ours.getProto()) + "." + SafeName(our.getProto().getName().cStr());
      prefix_ = name;
      Annotated(our, their, kOneWayId, "one-way");
      Annotated(our, their, kStreamId, "a stream");
      prefix_ = name + " params";
      Structs(our.getParamType(), their.getParamType());
      prefix_ = name + " results";
      Structs(our.getResultType(), their.getResultType());
    }
  }

  void Annotated(capnp::InterfaceSchema::Method ours, capnp::InterfaceSchema::Method theirs,
                 uint64_t id, const std::string& what) {
    const bool here = HasAnnotation(ours.getProto().getAnnotations(), id);
    const bool there = HasAnnotation(theirs.getProto().getAnnotations(), id);
    if (here == there) return;
    Report(what + (here ? " here and not there" : " there and not here"));
  }

  // One pair of structs and all pairs that they reach.
  void Structs(capnp::StructSchema ours, capnp::StructSchema theirs) {
    // An OsHandle or Handle is what it is by its id, also as the whole of params.
    const uint64_t our_id = ours.getProto().getId();
    const uint64_t their_id = theirs.getProto().getId();
    if (our_id != their_id && (IsLwmsgType(our_id) || IsLwmsgType(their_id))) {
      return Report(Difference(ours, theirs));
    }
    Enqueue(ours, theirs, "");
    while (!queue_.empty() && !full()) {
      Pair pair = std::move(queue_.back());
      queue_.pop_back();
      Fields(pair);
    }
  }

  void Enqueue(capnp::StructSchema ours, capnp::StructSchema theirs, std::string path) {
    auto& partners = known_[ours];
    if (std::find(partners.begin(), partners.end(), theirs) != partners.end()) return;
    if (++pairs_ > kMaxPairs) {
      if (pairs_ == kMaxPairs + 1) Report("too many different types to compare");
      return;
    }
    partners.push_back(theirs);
    if (path.size() > kMaxPathBytes) path = "..." + path.substr(path.size() - kMaxPathBytes);
    queue_.push_back({ours, theirs, std::move(path)});
  }

  void Fields(const Pair& pair) {
    const auto our_node = pair.ours.getProto().getStruct();
    const auto their_node = pair.theirs.getProto().getStruct();
    if (our_node.getDiscriminantCount() != 0 && their_node.getDiscriminantCount() != 0 &&
        our_node.getDiscriminantOffset() != their_node.getDiscriminantOffset()) {
      Report((pair.path.empty() ? "" : "\"" + pair.path + "\": ") +
             "its union has its tag in another place there");
    }
    if (pair.ours.getProto().getId() == capnp::typeId<schema::Handle<>>()) {
      Objects(pair);
    }
    auto ours = pair.ours.getFields();
    auto theirs = pair.theirs.getFields();
    for (unsigned i = 0; i < std::min(ours.size(), theirs.size()) && !full(); ++i) {
      Field(pair.path, ours[i], theirs[i]);
    }
  }

  // The kind of object that a Handle names is in no field.
  void Objects(const Pair& pair) {
    const capnp::Type ours = BrandArgument(pair.ours, 0);
    const capnp::Type theirs = BrandArgument(pair.theirs, 0);
    if (Id(ours) == Id(theirs)) return;
    Report((pair.path.empty() ? "" : "field \"" + pair.path + "\" ") +
           Difference(pair.ours, pair.theirs));
  }

  static uint64_t Id(capnp::Type type) {
    if (type.isStruct()) return type.asStruct().getProto().getId();
    if (type.isInterface()) return type.asInterface().getProto().getId();
    return 0;
  }

  void Field(const std::string& path, capnp::StructSchema::Field ours,
             capnp::StructSchema::Field theirs) {
    const std::string name =
        (path.empty() ? "" : path + ".") + SafeName(ours.getProto().getName().cStr());
    const std::string field = "field \"" + name + "\" ";
    if (Discriminant(ours.getProto()) != Discriminant(theirs.getProto())) {
      return Report(field + "has another place in its union there");
    }
    if (ours.getProto().isGroup() && theirs.getProto().isGroup()) {
      return Enqueue(ours.getType().asStruct(), theirs.getType().asStruct(), name);
    }
    auto our_slot = FirstSlot(ours);
    auto their_slot = FirstSlot(theirs);
    if (!our_slot || !their_slot) {
      return Report(field + "is " + (our_slot ? TypeName(our_slot->getType()) : "another group") +
                    " here and " + (their_slot ? TypeName(their_slot->getType()) : "a group") +
                    " there");
    }
    Slot(name, *our_slot, *their_slot);
  }

  void Slot(const std::string& name, capnp::StructSchema::Field ours,
            capnp::StructSchema::Field theirs) {
    const std::string field = "field \"" + name + "\" ";
    const capnp::Type our_type = ours.getType();
    const capnp::Type their_type = theirs.getType();
    // A Void has no place and says nothing.
    if (our_type.isVoid() || their_type.isVoid()) return;
    if (!SameType(our_type, their_type, name)) {
      return Report(field + Difference(our_type, their_type));
    }
    const auto our_slot = ours.getProto().getSlot();
    const auto their_slot = theirs.getProto().getSlot();
    if (our_slot.getOffset() != their_slot.getOffset()) {
      return Report(field +
                    "has another place in the message there; was a field before it removed?");
    }
    const bool same =
        our_type.which() == their_type.which() &&
                our_slot.getDefaultValue().which() == their_slot.getDefaultValue().which()
            ? SameValue(our_slot.getDefaultValue(), their_slot.getDefaultValue())
            : !our_slot.getHadExplicitDefault() && !their_slot.getHadExplicitDefault();
    if (!same) Report(field + "has another default there");
  }

  // Puts what the types hold into the queue.
  bool SameType(capnp::Type ours, capnp::Type theirs, const std::string& path) {
    if (IsBytes(ours) && IsBytes(theirs)) return true;
    if (ours.which() != theirs.which()) return false;
    switch (ours.which()) {
      case Which::LIST:
        return SameElement(ours.asList().getElementType(), theirs.asList().getElementType(),
                           path + "[]");
      case Which::STRUCT:
        if (Id(ours) != Id(theirs)) return false;
        Enqueue(ours.asStruct(), theirs.asStruct(), path);
        return true;
      case Which::ENUM:
        return ours.asEnum().getProto().getId() == theirs.asEnum().getProto().getId();
      case Which::INTERFACE:
        return Id(ours) == Id(theirs);
      case Which::ANY_POINTER:
        return ours.whichAnyPointerKind() == theirs.whichAnyPointerKind();
      default:
        return true;
    }
  }

  bool SameElement(capnp::Type ours, capnp::Type theirs, const std::string& path) {
    if (ours.isStruct() && !theirs.isStruct()) {
      return HoldsFirst(ours.asStruct(), theirs, path, true);
    }
    if (theirs.isStruct() && !ours.isStruct()) {
      return HoldsFirst(theirs.asStruct(), ours, path, false);
    }
    return SameType(ours, theirs, path);
  }

  // Whether a list of `type` may have become a list of `schema`.
  bool HoldsFirst(capnp::StructSchema schema, capnp::Type type, const std::string& path,
                  bool ours_is_struct) {
    if (type.isBool() || IsLwmsgType(schema.getProto().getId())) return false;
    auto fields = schema.getFields();
    if (fields.size() == 0 || Discriminant(fields[0].getProto()) != 0) return false;
    auto first = FirstSlot(fields[0]);
    if (!first || first->getProto().getSlot().getOffset() != 0) return false;
    if (first->getProto().getSlot().getHadExplicitDefault()) return false;
    return ours_is_struct ? SameType(first->getType(), type, path)
                          : SameType(type, first->getType(), path);
  }

  static bool IsBytes(capnp::Type type) {
    return type.isData() || (type.isList() && type.asList().getElementType().isUInt8());
  }

  static std::string Difference(capnp::Type ours, capnp::Type theirs) {
    std::string here = TypeName(ours);
    const std::string there = TypeName(theirs);
    if (here == there) here = "another " + here;
    return "is " + here + " here and " + there + " there";
  }

  bool full() const { return differences_.size() >= kMaxDifferences; }

  void Report(const std::string& what) {
    if (!full()) differences_.push_back(prefix_ + ": " + what);
  }

  std::string prefix_;
  std::vector<std::string> differences_;
  std::unordered_map<capnp::Schema, std::vector<capnp::StructSchema>, Hash> known_;
  std::vector<Pair> queue_;
  size_t pairs_ = 0;
};

// Not within a character.
std::string Cut(const std::string& text) {
  size_t end = 400;
  if (text.size() <= end) return text;
  while ((static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end) + "...";
}

}  // namespace

std::vector<std::string> SchemaDifferences(capnp::InterfaceSchema ours,
                                           capnp::InterfaceSchema theirs) {
  Comparison comparison;
  try {
    comparison.Run(ours, theirs);
  } catch (const kj::Exception& error) {
    return {"the schema is not sound: " + QuotedText(error.getDescription().cStr(), 300)};
  }
  return comparison.TakeDifferences();
}

Status DifferenceStatus(capnp::InterfaceSchema ours, const std::vector<std::string>& differences) {
  constexpr size_t kShown = 3;
  if (differences.empty()) return Status();
  std::string text = "the schemas of " + ScopedName(ours.getProto()) + " do not fit: ";
  for (size_t i = 0; i < differences.size() && i < kShown; ++i) {
    text += (i == 0 ? "" : "; ") + Cut(differences[i]);
  }
  if (differences.size() > kShown) {
    text += "; and " + std::to_string(differences.size() - kShown) + " more";
  }
  return Status(StatusCode::kUnimplemented, text + "; update one of the sides");
}

Status CheckCompatible(capnp::InterfaceSchema ours,
                       capnp::List<capnp::schema::Node>::Reader theirs) {
  auto foreign = ForeignSchema::Load(theirs);
  if (!foreign) return foreign.error();
  auto interface = (*foreign)->Interface(ours.getProto().getId());
  if (!interface) return interface.error();
  return DifferenceStatus(ours, SchemaDifferences(ours, *interface));
}

}  // namespace lwmsg::internal
