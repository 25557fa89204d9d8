#include "standard_input.h"

#include <fcntl.h>
#include <io.h>
#include <stdio.h>

namespace lwmsg::codegen {

int StandardInput() {
  const int descriptor = _fileno(stdin);
  _setmode(descriptor, _O_BINARY);
  return descriptor;
}

}  // namespace lwmsg::codegen
