#pragma once

#include <cstddef>
#include <vector>

#include "lwmsg/fuzz/input.h"
#include "lwmsg/os_handle.h"

namespace lwmsg::fuzz {

// An open file such as a peer may send, of one of several kinds: readable or not, with content or
// none, sealed memory. Nobody has to wait who reads it, or writes a little to it.
OsHandle OpenHandle(Input& input);

// Which numbers of open files this process has, as far as they are looked at: those under 512 that
// it may have now. What was given to CloseLater is closed by then. Empty where that cannot be asked
// (Windows).
std::vector<bool> OpenNumbers();

}  // namespace lwmsg::fuzz
