#pragma once

#include <capnp/dynamic.h>

#include "lwmsg/function.h"
#include "lwmsg/fuzz/input.h"

namespace lwmsg::fuzz {

// Where a message that is made up gets what it names. Each may leave its field empty.
class Names {
 public:
  // Of an `OsHandle`, a `SharedMemory` and a `Handle(T)` of lwmsg.capnp.
  virtual void Handle(Input& input, capnp::DynamicStruct::Builder field) = 0;
  virtual void Memory(Input& input, capnp::DynamicStruct::Builder field) = 0;
  virtual void Object(Input& input, capnp::DynamicStruct::Builder field) = 0;

 protected:
  ~Names() = default;
};

// Fills a message by its schema, which is compiled in, with what `input` says: mostly within what
// its annotations allow, so that it gets past the checks, and sometimes not.
void FillMessage(Input& input, capnp::DynamicStruct::Builder message, Names& names);

// Reads all of a message that was checked, and gives each struct of it to `see`.
void WalkMessage(capnp::DynamicStruct::Reader message,
                 UniqueFunction<void(capnp::DynamicStruct::Reader)>& see);

}  // namespace lwmsg::fuzz
