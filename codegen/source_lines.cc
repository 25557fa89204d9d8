#include "source_lines.h"

#include <array>
#include <cctype>
#include <cstddef>

namespace lwmsg::codegen {
namespace {

struct Token {
  std::string text;
  int line;
};

bool IsWord(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

// Words, "->" and single characters; comments, strings and blanks are left out.
class Tokenizer {
 public:
  explicit Tokenizer(std::string_view text) : text_(text) {}

  std::vector<Token> Run() {
    while (pos_ < text_.size()) Next();
    return std::move(tokens_);
  }

 private:
  void Next() {
    const char c = text_[pos_];
    if (c == '\n') {
      ++line_;
      ++pos_;
    } else if (c == '#') {
      while (pos_ < text_.size() && text_[pos_] != '\n') ++pos_;
    } else if (c == '"') {
      SkipString();
    } else if (IsWord(c) || c == '@') {
      const size_t start = pos_++;
      while (pos_ < text_.size() && IsWord(text_[pos_])) ++pos_;
      tokens_.push_back({std::string(text_.substr(start, pos_ - start)), line_});
    } else if (text_.substr(pos_, 2) == "->") {
      tokens_.push_back({"->", line_});
      pos_ += 2;
    } else {
      if (!std::isspace(static_cast<unsigned char>(c))) {
        tokens_.push_back({std::string(1, c), line_});
      }
      ++pos_;
    }
  }

  void SkipString() {
    for (++pos_; pos_ < text_.size() && text_[pos_] != '"'; ++pos_) {
      if (text_[pos_] == '\\') ++pos_;
      if (pos_ < text_.size() && text_[pos_] == '\n') ++line_;
    }
    ++pos_;
  }

  std::string_view text_;
  size_t pos_ = 0;
  int line_ = 1;
  std::vector<Token> tokens_;
};

bool IsDeclarationKeyword(const std::string& word) {
  constexpr std::array<std::string_view, 6> kKeywords = {"struct", "interface", "enum",
                                                         "const",  "using",     "annotation"};
  for (std::string_view keyword : kKeywords) {
    if (word == keyword) return true;
  }
  return false;
}

// Reads statements, each ended by ';' or by a block in braces, which holds further statements.
class Parser {
 public:
  using Lines = std::map<std::vector<std::string>, int>;

  Parser(const std::vector<Token>& tokens, Lines& lines) : tokens_(tokens), lines_(lines) {}

  void Run() {
    std::vector<Token> statement;
    std::vector<bool> scopes;  // For each open block, whether it added a name to path_.
    for (const Token& token : tokens_) {
      if (token.text == ";") {
        Declare(statement);
      } else if (token.text == "{") {
        scopes.push_back(Open(statement));
      } else if (token.text == "}") {
        if (!scopes.empty() && scopes.back()) path_.pop_back();
        if (!scopes.empty()) scopes.pop_back();
      } else {
        statement.push_back(token);
        continue;
      }
      statement.clear();
    }
  }

 private:
  // The fields of an unnamed union count as those of the struct around it.
  bool Open(const std::vector<Token>& statement) {
    const bool unnamed =
        statement.empty() ||
        (statement[0].text == "union" && (statement.size() == 1 || statement[1].text[0] == '@'));
    if (unnamed) return false;
    path_.push_back(Declare(statement));
    return true;
  }

  std::string Declare(const std::vector<Token>& statement) {
    if (statement.empty()) return "";
    // A field may well be called `struct`; then an ordinal or a type follows.
    const bool keyword = statement.size() > 1 && IsDeclarationKeyword(statement[0].text) &&
                         IsWord(statement[1].text[0]);
    const Token& name = statement[keyword ? 1 : 0];
    path_.push_back(name.text);
    lines_.emplace(path_, name.line);
    if (!keyword) DeclareLists(statement);
    path_.pop_back();
    return name.text;
  }

  // `name @0 (field :Type, ...) -> (field :Type, ...)`.
  void DeclareLists(const std::vector<Token>& statement) {
    path_.push_back("$Params");
    int depth = 0;
    for (size_t i = 1; i < statement.size(); ++i) {
      const std::string& text = statement[i].text;
      if (text == "->") path_.back() = "$Results";
      if (text == "(" || text == "[") ++depth;
      if (text == ")" || text == "]") --depth;
      const bool starts_field = depth == 1 && (text == "(" || text == ",");
      if (starts_field && i + 2 < statement.size() && statement[i + 2].text == ":") {
        path_.push_back(statement[i + 1].text);
        lines_.emplace(path_, statement[i + 1].line);
        path_.pop_back();
      }
    }
    path_.pop_back();
  }

  const std::vector<Token>& tokens_;
  Lines& lines_;
  std::vector<std::string> path_;
};

}  // namespace

SourceLines::SourceLines(std::string_view text) {
  const std::vector<Token> tokens = Tokenizer(text).Run();
  Parser(tokens, lines_).Run();
}

int SourceLines::Find(const std::vector<std::string>& path) const {
  auto found = lines_.find(path);
  return found == lines_.end() ? 0 : found->second;
}

}  // namespace lwmsg::codegen
