#include "lwmsg/log.h"

#include <algorithm>
#include <utility>

namespace lwmsg {
namespace {

bool IsControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7F;
}

std::string Escape(const std::string& line) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string escaped;
  for (const char c : line) {
    if (!IsControl(c)) {
      escaped += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    escaped += {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 0xF]};
  }
  return escaped;
}

}  // namespace

std::string_view LogLevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kError:
      return "error";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kTrace:
      return "trace";
  }
  return "unknown";
}

Log::Log(Function function, LogLevel level) {
  if (function) shared_ = std::make_shared<Shared>(std::move(function), level);
}

void Log::set_level(LogLevel level) {
  if (shared_) shared_->level = level;
}

void Log::WriteLine(LogLevel level, const std::string& line) const {
  // What a peer says must not look like lines of its own.
  if (std::none_of(line.begin(), line.end(), IsControl)) return shared_->function(level, line);
  shared_->function(level, Escape(line));
}

}  // namespace lwmsg
