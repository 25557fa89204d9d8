#pragma once

#include <capnp/any.h>

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "lwmsg/internal/payload_plan.h"
#include "lwmsg/internal/payload_type.h"
#include "lwmsg/os_handle.h"

namespace lwmsg::internal {

// A payload that Cap'n Proto can read breaks a rule of lwmsg.
class RuleBroken : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// One walk over one payload. Throws at the first thing that is wrong: kj::Exception, or RuleBroken.
class PayloadChecker {
 public:
  // `handles` are the OS handles of the message. Appends to `names`.
  PayloadChecker(std::span<const OsHandle> handles, PayloadNames& names)
      : handles_(handles), seen_(handles.size(), false), names_(names) {}

  // Looks only at what must be so that the payload can be read. Then a schema from outside may have
  // rules that fit nothing.
  void IgnoreRules() { with_rules_ = false; }
  // For what others wrote in that many words: no more elements of lists are looked at than a
  // message can hold that names each part of it once. A reader's own limit counts the bytes of
  // elements, which may be none, and takes a part that is named again.
  void LimitElements(size_t words) { elements_left_ = 8 * words + 1024; }
  bool limited() const { return elements_left_ != SIZE_MAX; }

  void Struct(const StructPlan& plan, capnp::AnyStruct::Reader reader,
              const FieldRules* rules = nullptr);
  // After the walk: what stands where the schema leaves it open has no rule that allows anything.
  void Unseen() const;

  // Where the walk stands: "tty" or "items[3].file".
  const std::string& path() const { return path_; }

 private:
  using Pointers = capnp::List<capnp::AnyPointer>::Reader;

  void Fields(const StructPlan& plan, capnp::Data::Reader data, Pointers pointers);
  void Field(const FieldPlan& field, capnp::Data::Reader data, Pointers pointers);
  void Pointer(const PointerPlan& plan, capnp::AnyPointer::Reader pointer, const FieldRules* rules);
  void List(const PointerPlan& plan, capnp::DynamicList::Reader list, const FieldRules* rules);
  void Element(const PointerPlan& plan, const capnp::DynamicValue::Reader& value,
               const FieldRules* rules);
  void Slot(uint16_t slot, const FieldRules* rules);
  void Object(const ObjectName& object, const FieldRules* rules);
  void Memory(const StructPlan& plan, capnp::AnyStruct::Reader reader);

  void Present(const PointerPlan& plan, capnp::AnyPointer::Reader pointer);
  void Any(capnp::AnyPointer::Reader pointer);
  void Any(Pointers pointers);
  void Integers(const PointerPlan& plan, capnp::AnyPointer::Reader list, const FieldRules& rules);
  template <typename T>
  void IntegersAs(typename capnp::List<T>::Reader list, const FieldRules& rules);

  bool with_rules_ = true;
  size_t elements_left_ = SIZE_MAX;
  std::span<const OsHandle> handles_;
  std::vector<bool> seen_;
  PayloadNames& names_;
  std::string path_;
};

}  // namespace lwmsg::internal
