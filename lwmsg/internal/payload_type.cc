#include "lwmsg/internal/payload_type.h"

#include <kj/exception.h>

#include <string>
#include <utility>

#include "lwmsg/internal/capnp_text.h"
#include "lwmsg/internal/payload_check.h"
#include "lwmsg/internal/payload_plan.h"

namespace lwmsg::internal {

PayloadType::PayloadType(capnp::StructSchema schema)
    : schema_(schema), plan_(std::make_unique<PayloadPlan>(schema)) {}
PayloadType::~PayloadType() = default;

bool PayloadType::carries_handles() const { return plan_->carries_handles(); }
bool PayloadType::carries_objects() const { return plan_->carries_objects(); }
bool PayloadType::has_rules() const { return plan_->has_rules(); }
bool PayloadType::sensitive() const { return plan_->sensitive(); }

Status PayloadType::Check(capnp::AnyPointer::Reader payload, std::span<const OsHandle> handles,
                          PayloadNames& names, size_t words) const {
  if (!handles.empty() && !plan_->carries_handles()) {
    return Status(StatusCode::kMalformed, "message carries " + std::to_string(handles.size()) +
                                              " OS handles, but its schema has no field for them");
  }
  PayloadChecker checker(handles, names);
  if (words != 0) checker.LimitElements(words);
  return Walk(payload, std::move(checker));
}

Status PayloadType::CheckReadable(capnp::AnyPointer::Reader payload, size_t words) const {
  PayloadNames names;
  PayloadChecker checker({}, names);
  checker.IgnoreRules();
  if (words != 0) checker.LimitElements(words);
  return Walk(payload, std::move(checker));
}

Status PayloadType::Walk(capnp::AnyPointer::Reader payload, PayloadChecker checker) const {
  std::string what;
  try {
    checker.Struct(plan_->root(), payload.getAs<capnp::AnyStruct>());
    // Behind the walk, which says where.
    if (checker.limited()) payload.targetSize();
    checker.Unseen();
    return Status();
  } catch (const RuleBroken& error) {
    what = error.what();
  } catch (const kj::Exception& error) {
    what = CapnpText(error);
  }
  const std::string where = checker.path().empty() ? "" : checker.path() + ": ";
  return Status(StatusCode::kMalformed, where + what);
}

}  // namespace lwmsg::internal
