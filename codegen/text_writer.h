#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lwmsg::codegen {

// Collects the text of one generated file, broken into lines in the way in which clang-format does
// with the style of this project.
class TextWriter {
 public:
  void Indent() { indent_ += 2; }
  void Outdent() { indent_ -= 2; }

  // An empty `text` gives a blank line.
  void Line(const std::string& text = "");
  void Comment(const std::vector<std::string>& lines);
  // Too long lines go on below.
  void Comment(const std::string& paragraph) { Comment(std::vector<std::string>{paragraph}); }
  // `open` `items`, with commas, `close`; what has no room goes below the first item, or all below
  // `open`.
  void List(const std::string& open, const std::vector<std::string>& items,
            const std::string& close);
  // `name` = `open` `value` `close`.
  void Assign(const std::string& name, const std::string& open, const std::string& value,
              const std::string& close);
  // using `name` = `value`<`arguments`>;
  void Alias(const std::string& name, const std::string& value,
             const std::vector<std::string>& arguments);
  // A function defined in its class: in one line if that has room for it.
  void Function(const std::string& head, const std::string& open,
                const std::vector<std::string>& items, const std::string& close);

  // A constructor that only initializes members.
  void Constructor(const std::string& head, const std::string& initializers);

  const std::string& text() const { return text_; }

 private:
  bool Fits(const std::string& text) const;
  std::vector<std::string> Fill(const std::string& first, const std::string& further,
                                const std::vector<std::string>& items,
                                const std::string& close) const;
  // By how many columns the lines are too long.
  size_t Excess(const std::vector<std::string>& lines) const;
  // Each of `items` in a line of its own.
  bool ListFits(const std::string& open, const std::vector<std::string>& items,
                const std::string& close) const;

  std::string text_;
  size_t indent_ = 0;
};

}  // namespace lwmsg::codegen
