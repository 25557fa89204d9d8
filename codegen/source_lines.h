#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace lwmsg::codegen {

// Where the declarations of one schema file stand. The request that a plugin gets says nothing
// about source positions, so this reads the text again, just far enough to tell declarations and
// their scopes apart. What it cannot make out it does not find; it never fails.
class SourceLines {
 public:
  SourceLines() = default;
  explicit SourceLines(std::string_view text);

  // The line of a declaration, 0 if it was not found. `path` names it from the file's top:
  // {"Broker", "open"}. The fields of a parameter or result list stand under "$Params" or
  // "$Results":
  // {"Broker", "open", "$Params", "name"}.
  int Find(const std::vector<std::string>& path) const;

 private:
  std::map<std::vector<std::string>, int> lines_;
};

}  // namespace lwmsg::codegen
