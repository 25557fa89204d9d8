#pragma once

#include <string>

namespace bench {

// A listening, and a connected, stream socket of the file `path`, with `flags` of socket(2).
int ListenAt(const std::string& path, int flags);
int ConnectTo(const std::string& path, int flags);

}  // namespace bench
