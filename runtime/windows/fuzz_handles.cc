#include "lwmsg/fuzz/handles.h"
#include "lwmsg/pair.h"

namespace lwmsg::fuzz {

OsHandle OpenHandle(Input& input) {
  static_cast<void>(input.Byte());
  auto pair = MakePair();
  return pair ? std::move(pair->first) : OsHandle();
}

std::vector<bool> OpenNumbers() { return {}; }

}  // namespace lwmsg::fuzz
