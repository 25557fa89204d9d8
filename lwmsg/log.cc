#include "lwmsg/log.h"

#include <algorithm>
#include <utility>

namespace lwmsg {
namespace {

// How many bytes at the front of `text`, which is not empty, are one character of UTF-8 that may be
// shown as it is: neither control character (C0, C1, DEL) nor broken. 0: none.
size_t ShownBytes(std::string_view text) {
  const auto byte = [text](size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x80) return byte(0) < 0x20 || byte(0) == 0x7F ? 0 : 1;
  // RFC 3629: what may follow the first byte.
  const size_t size = byte(0) < 0xE0 ? 2 : byte(0) < 0xF0 ? 3 : 4;
  if (byte(0) < 0xC2 || byte(0) > 0xF4 || text.size() < size) return 0;
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  const bool too_long = (byte(0) == 0xE0 && byte(1) < 0xA0) || (byte(0) == 0xF0 && byte(1) < 0x90);
  const bool surrogate = byte(0) == 0xED && byte(1) >= 0xA0;
  const bool too_large = byte(0) == 0xF4 && byte(1) >= 0x90;
  const bool control = byte(0) == 0xC2 && byte(1) < 0xA0;
  return too_long || surrogate || too_large || control ? 0 : size;
}

// What a peer says must not look like lines of its own, nor be an order to a terminal.
std::string Escape(std::string_view line) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string escaped;
  while (!line.empty()) {
    const size_t shown = ShownBytes(line);
    escaped += line.substr(0, shown);
    if (shown == 0) {
      const auto byte = static_cast<unsigned char>(line.front());
      escaped += {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 0xF]};
    }
    line.remove_prefix(std::max<size_t>(shown, 1));
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

std::optional<uint64_t> Log::Admit(LogLevel level) const {
  const auto index = static_cast<size_t>(level);
  if (index >= shared_->rates.size()) return 0;
  const std::lock_guard lock(shared_->mutex);
  Rate& rate = shared_->rates[index];
  const auto now = std::chrono::steady_clock::now();
  const std::chrono::duration<double> passed = now - std::exchange(rate.filled, now);
  rate.tokens = std::min<double>(kBurst, rate.tokens + passed.count() * kPerSecond);
  if (rate.tokens < 1) {
    ++rate.left_out;
    return std::nullopt;
  }
  rate.tokens -= 1;
  return std::exchange(rate.left_out, 0);
}

void Log::WriteLine(LogLevel level, const std::string& line, uint64_t left_out) const {
  if (left_out != 0) {
    shared_->function(level, std::to_string(left_out) +
                                 " lines of this level were left out: more than " +
                                 std::to_string(kPerSecond) + " a second");
  }
  shared_->function(level, Escape(line));
}

}  // namespace lwmsg
