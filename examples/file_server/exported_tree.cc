#include "exported_tree.h"

#include <algorithm>
#include <utility>

using lwmsg::Error;
using lwmsg::Result;
using lwmsg::StatusCode;

Result<std::vector<std::string>> SplitPath(const std::string& path) {
  if (!path.starts_with('/') || path.ends_with('/') || path.find('\0') != std::string::npos) {
    return Error(StatusCode::kInvalidArgument,
                 "\"" + path + "\" is no path of a file from the exported folder, such as /a/b");
  }
  std::vector<std::string> names;
  for (size_t start = 1; start < path.size();) {
    const size_t end = std::min(path.find('/', start), path.size());
    std::string name = path.substr(start, end - start);
    start = end + 1;
    if (name.empty() || name == "." || name == "..") {
      return Error(StatusCode::kInvalidArgument, path + " has an empty name, \".\" or \"..\"");
    }
    names.push_back(std::move(name));
  }
  return names;
}
