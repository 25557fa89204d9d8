#pragma once

namespace lwmsg::codegen {

// The descriptor of standard input, which gives its bytes as they are.
int StandardInput();

}  // namespace lwmsg::codegen
