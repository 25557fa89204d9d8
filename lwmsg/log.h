#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace lwmsg {

// kError: something does not work, and somebody should look; kWarning: a peer broke a rule or a
// limit hit; kInfo: peers come and go; kDebug: what it takes to understand them; kTrace: every
// call.
enum class LogLevel { kError, kWarning, kInfo, kDebug, kTrace };

// "warning".
std::string_view LogLevelName(LogLevel level);

// Where lwmsg tells an operator what happens. A value: copies share the function and the level.
// Empty, the default, it logs nothing. Usable on any thread if its function is.
//
// Peers bring lines about: of each level down to kInfo, after kBurst lines no more than kPerSecond
// go to the function, and the next that does comes behind one that says how many were left out.
class Log {
 public:
  static constexpr unsigned kBurst = 200;
  static constexpr unsigned kPerSecond = 20;

  // Gets one line without its end; control characters that a peer put there, those of the upper
  // half too, and bytes that are not UTF-8 come as "\x0a". Must not throw, and not use the objects
  // that it hears about: they are in the middle of something.
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
    if (!Wants(level)) return;
    const auto left_out = Admit(level);
    if (!left_out) return;
    try {
      WriteLine(level, make_line(), *left_out);
    } catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch)
      // What is logged goes on without its line.
    }
  }

 private:
  // Of one level: a bucket that fills with kPerSecond tokens to kBurst.
  struct Rate {
    double tokens = kBurst;
    std::chrono::steady_clock::time_point filled = {};
    uint64_t left_out = 0;
  };
  struct Shared {
    Shared(Function log, LogLevel wanted) : function(std::move(log)), level(wanted) {}

    Function function;
    std::atomic<LogLevel> level;
    std::mutex mutex;
    std::array<Rate, 3> rates;  // Of kError, kWarning and kInfo. Guarded by `mutex`.
  };
  // Whether a line of this level may be written now; if so, how many were left out before it.
  std::optional<uint64_t> Admit(LogLevel level) const;
  void WriteLine(LogLevel level, const std::string& line, uint64_t left_out) const;

  std::shared_ptr<Shared> shared_;
};

}  // namespace lwmsg
