#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace lwmsg {

// kError: something does not work, and somebody should look; kWarning: a peer broke a rule or a
// limit hit; kInfo: peers come and go; kDebug: what it takes to understand them; kTrace: every
// call.
enum class LogLevel { kError, kWarning, kInfo, kDebug, kTrace };

// "warning".
std::string_view LogLevelName(LogLevel level);

// Where lwmsg tells an operator what happens. A value: copies share the function and the level.
// Empty, the default, it logs nothing. Usable on any thread if its function is.
class Log {
 public:
  // Gets one line without its end; what control characters a peer put there come as "\x0a". Must
  // not throw, and not use the objects that it hears about: they are in the middle of something.
  using Function = std::function<void(LogLevel level, std::string_view line)>;

  Log() = default;
  // Logs what is at least as bad as `level`.
  explicit Log(Function function, LogLevel level = LogLevel::kInfo);

  // Whether a line of this level would go anywhere: ask before building expensive text.
  bool Wants(LogLevel level) const {
    return shared_ != nullptr && level <= shared_->level.load(std::memory_order_relaxed);
  }
  // Also while it is in use; any thread.
  void set_level(LogLevel level);

  // Logs the string that `make_line()` returns, which runs only if the level is wanted.
  template <typename MakeLine>
  void Write(LogLevel level, MakeLine make_line) const {
    if (Wants(level)) WriteLine(level, make_line());
  }

 private:
  struct Shared {
    Function function;
    std::atomic<LogLevel> level;
  };
  void WriteLine(LogLevel level, const std::string& line) const;

  std::shared_ptr<Shared> shared_;
};

}  // namespace lwmsg
