#include "standard_input.h"

#include <unistd.h>

namespace lwmsg::codegen {

int StandardInput() { return STDIN_FILENO; }

}  // namespace lwmsg::codegen
