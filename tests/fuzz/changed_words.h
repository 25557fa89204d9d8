#pragma once

#include <capnp/message.h>
#include <capnp/serialize.h>

#include "lwmsg/fuzz/input.h"

namespace lwmsg::test {

// The message as it goes to a file or a wire, with some bytes changed as `input` says.
inline kj::Array<capnp::word> ChangedWords(fuzz::Input& input, capnp::MessageBuilder& message) {
  auto words = capnp::messageToFlatArray(message);
  const size_t changes = input.Below(32);
  for (size_t i = 0; i < changes && !input.empty(); ++i) {
    const size_t place = input.Number<uint16_t>() % words.asBytes().size();
    words.asBytes()[place] = input.Byte();
  }
  return words;
}

}  // namespace lwmsg::test
