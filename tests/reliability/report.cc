#include "tests/reliability/report.h"

#include <cstdio>
#include <utility>

namespace lwmsg::test {

void Report::Begin(std::string goal, size_t size, size_t goal_size, const std::string& unit) {
  goal_ = std::move(goal) + " (" + std::to_string(size);
  if (size != goal_size) goal_ += " of the goal's " + std::to_string(goal_size);
  goal_ += " " + unit + ")";
}

void Report::Count(const std::string& figure, const std::string& wanted, bool met) {
  Print(figure + ", wanted " + wanted + (met ? ": met" : ": MISSED"));
  if (!met) ++missed_;
}

void Report::Time(const std::string& figure, const std::string& wanted, bool met) {
  if (met || effort_ != Effort::kShort) return Count(figure, wanted, met);
  Print(figure + ", wanted " + wanted + ": missed, a warning only in the short run");
}

void Report::Skip(const std::string& why) { Print("skipped: " + why); }

void Report::Print(const std::string& text) const {
  std::printf("%s: %s\n", goal_.c_str(), text.c_str());
  std::fflush(stdout);
}

std::string Text(double number) {
  std::string text(32, '\0');
  text.resize(static_cast<size_t>(std::snprintf(text.data(), text.size(), "%.1f", number)));
  return text;
}

}  // namespace lwmsg::test
