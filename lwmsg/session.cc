#include "lwmsg/session.h"

#include <string>

namespace lwmsg {
namespace {

Status NoSuchObject(uint64_t id) {
  return Status(StatusCode::kInvalidHandle,
                "session object " + std::to_string(id) +
                    " does not exist, was closed, or is of another kind; open it again");
}

}  // namespace

Result<uint64_t> Session::Insert(Object object) {
  if (objects_.size() >= max_objects_) {
    return Error(StatusCode::kResourceExhausted,
                 "the session has " + std::to_string(max_objects_) +
                     " open objects, Limits::max_objects; close some first");
  }
  objects_.emplace(++last_id_, std::move(object));
  return last_id_;
}

Result<std::shared_ptr<void>> Session::Find(uint64_t kind, std::type_index type,
                                            uint64_t id) const {
  auto found = objects_.find(id);
  if (found == objects_.end() || found->second.kind != kind || found->second.type != type) {
    return Error(NoSuchObject(id));
  }
  return found->second.object;
}

Status Session::Unregister(uint64_t kind, uint64_t id) {
  auto found = objects_.find(id);
  if (found == objects_.end() || found->second.kind != kind) return NoSuchObject(id);
  auto node = objects_.extract(found);  // Its destructor is user code: the table is in order first.
  return Status();
}

}  // namespace lwmsg
