#pragma once

#include <kj/string.h>

// Cap'n Proto 0.9 leaves these two out in C++20, where it counts on the compiler to turn the
// operands of a comparison round. Since P2468 compilers do not do that for a class that also has an
// operator!=, and capnp/blob.h does not compile. LwmsgCapnProto.cmake includes this first for those
// compilers.
namespace kj {
inline bool operator==(const char* a, const StringPtr& b) { return b.operator==(StringPtr(a)); }
inline bool operator!=(const char* a, const StringPtr& b) { return !(a == b); }
}  // namespace kj
