#pragma once

#include <capnp/schema.capnp.h>

#include <cstdint>

namespace lwmsg::internal {

// Ids of annotations in schema/lwmsg.capnp.
constexpr uint64_t kVersionId = 0xc5d28e614fb03a97;
constexpr uint64_t kOneWayId = 0xd7f61b0c92e5843d;
constexpr uint64_t kStreamId = 0xa93c5d08e7f1426b;
constexpr uint64_t kSensitiveId = 0xf91e347a05c8bd62;

inline bool HasAnnotation(capnp::List<capnp::schema::Annotation>::Reader annotations, uint64_t id) {
  for (auto annotation : annotations) {
    if (annotation.getId() == id) return true;
  }
  return false;
}

}  // namespace lwmsg::internal
