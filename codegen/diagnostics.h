#pragma once

#include <string>
#include <vector>

namespace lwmsg::codegen {

// A place in a schema file; line 0 is the file as a whole.
struct Location {
  std::string file;
  int line = 0;
};

// What is wrong with the schemas, in the order in which it was found. The same said twice of one
// place counts once: many methods may reach one bad field.
class Diagnostics {
 public:
  // `message` says what is wrong, and what to do instead.
  void Error(const Location& where, const std::string& message) {
    std::string text = where.file;
    if (where.line != 0) text += ":" + std::to_string(where.line);
    text += ": error: " + message;
    for (const std::string& known : errors_) {
      if (known == text) return;
    }
    errors_.push_back(std::move(text));
  }

  // "tty.capnp:7: error: ...".
  const std::vector<std::string>& errors() const { return errors_; }

 private:
  std::vector<std::string> errors_;
};

}  // namespace lwmsg::codegen
