#pragma once

#include <capnp/any.h>

#include "lwmsg/handles.h"

namespace lwmsg {

// How generated code names the params or results of a method whose struct has no OsHandle field at
// its top: Cap'n Proto's own reader and builder. A method with such a field gets a generated struct
// of the same form, whose Reader and Builder also have takeX() and setX().
template <typename Struct>
struct Plain {
  using Schema = Struct;

  class Reader : public Struct::Reader {
   public:
    Reader(typename Struct::Reader reader, IncomingHandles& /*handles*/) : Struct::Reader(reader) {}
  };

  class Builder : public Struct::Builder {
   public:
    Builder(typename Struct::Builder builder, OutgoingHandles& /*handles*/)
        : Struct::Builder(builder) {}
  };
};

}  // namespace lwmsg
