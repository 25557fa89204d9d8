#include "text_writer.h"

namespace lwmsg::codegen {
namespace {

constexpr size_t kColumns = 100;

std::string Join(const std::vector<std::string>& items) {
  std::string text;
  for (const std::string& item : items) text += (text.empty() ? "" : ", ") + item;
  return text;
}

// In a `//` comment a backslash at the end would swallow the next line, and a control character
// could end this one.
std::string Harmless(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  }
  while (!text.empty() && (text.back() == ' ' || text.back() == '\\')) text.pop_back();
  return text;
}

}  // namespace

void TextWriter::Line(const std::string& text) {
  if (!text.empty()) text_ += std::string(indent_, ' ') + text;
  text_ += '\n';
}

void TextWriter::Comment(const std::vector<std::string>& lines) {
  for (const std::string& line : lines) {
    std::string rest = Harmless(line);
    while (!Fits("// " + rest)) {
      size_t space = rest.rfind(' ', kColumns - indent_ - 3);
      if (space == std::string::npos || space == 0) space = rest.find(' ', 1);
      if (space == std::string::npos) break;
      Line("// " + rest.substr(0, space));
      rest = rest.substr(space + 1);
    }
    Line(rest.empty() ? "//" : "// " + rest);
  }
}

void TextWriter::List(const std::string& open, const std::vector<std::string>& items,
                      const std::string& close) {
  const std::vector<std::string> beside = Fill(open, std::string(open.size(), ' '), items, close);
  const std::string margin(open.find_first_not_of(' ') + 4, ' ');
  std::vector<std::string> below = Fill(margin, margin, items, close);
  below.insert(below.begin(), open);
  const bool better = Excess(below) < Excess(beside) ||
                      (Excess(below) == Excess(beside) && below.size() < beside.size());
  for (const std::string& line : better ? below : beside) Line(line);
}

void TextWriter::Assign(const std::string& name, const std::string& open, const std::string& value,
                        const std::string& close) {
  const bool next_line = !Fits(name + " = " + open + value + close);
  if (!next_line || !Fits("    " + open + value + close)) {
    return List(name + " = " + open, {value}, close);
  }
  Line(name + " =");
  Line("    " + open + value + close);
}

void TextWriter::Alias(const std::string& name, const std::string& value,
                       const std::vector<std::string>& arguments) {
  const std::string start = "using " + name + " =";
  const std::string open = start + " " + value + "<";
  const std::string indented = "    " + value + "<";
  if (Fits(open + Join(arguments) + ">;")) return List(open, arguments, ">;");
  const bool whole = Fits(indented + Join(arguments) + ">;");
  if (whole || (!ListFits(open, arguments, ">;") && ListFits(indented, arguments, ">;"))) {
    Line(start);
    return List(indented, arguments, ">;");
  }
  List(open, arguments, ">;");
}

void TextWriter::Function(const std::string& head, const std::string& open,
                          const std::vector<std::string>& items, const std::string& close) {
  const std::string whole = head + " { " + open + Join(items) + close + " }";
  if (Fits(whole)) return Line(whole);
  Line(head + " {");
  Indent();
  List(open, items, close);
  Outdent();
  Line("}");
}

void TextWriter::Constructor(const std::string& head, const std::string& initializers) {
  if (Fits(head + " : " + initializers + " {}")) return Line(head + " : " + initializers + " {}");
  Line(head);
  Line("    : " + initializers + " {}");
}

std::vector<std::string> TextWriter::Fill(const std::string& first, const std::string& further,
                                          const std::vector<std::string>& items,
                                          const std::string& close) const {
  std::vector<std::string> lines = {first};
  for (size_t i = 0; i < items.size(); ++i) {
    const std::string item = items[i] + (i + 1 < items.size() ? "," : close);
    if (i == 0) {
      lines.back() += item;
    } else if (Fits(lines.back() + " " + item)) {
      lines.back() += " " + item;
    } else {
      lines.push_back(further + item);
    }
  }
  return lines;
}

size_t TextWriter::Excess(const std::vector<std::string>& lines) const {
  size_t excess = 0;
  for (const std::string& line : lines) {
    if (!Fits(line)) excess += indent_ + line.size() - kColumns;
  }
  return excess;
}

bool TextWriter::ListFits(const std::string& open, const std::vector<std::string>& items,
                          const std::string& close) const {
  for (const std::string& item : items) {
    // NOLINTNEXTLINE(performance-inefficient-string-concatenation): clearer, and never hot.
    if (!Fits(open + item + close)) return false;
  }
  return true;
}

bool TextWriter::Fits(const std::string& text) const { return indent_ + text.size() <= kColumns; }

}  // namespace lwmsg::codegen
