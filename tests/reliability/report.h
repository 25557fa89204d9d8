#pragma once

#include <cstddef>
#include <string>

namespace lwmsg::test {

enum class Effort { kShort, kNormal, kLong };

// Prints a line for each figure, and remembers whether one was missed.
class Report {
 public:
  explicit Report(Effort effort) : effort_(effort) {}

  // From now on, lines are of this goal, and this much of it was done.
  void Begin(std::string goal, size_t size, size_t goal_size, const std::string& unit);

  // Of something that is counted: missed is missed, however busy the machine is.
  void Count(const std::string& figure, const std::string& wanted, bool met);
  // Of a time, a rate or a share. In the short effort a miss is a warning.
  void Time(const std::string& figure, const std::string& wanted, bool met);
  // It cannot be measured here.
  void Skip(const std::string& why);

  bool missed() const { return missed_ != 0; }

 private:
  void Print(const std::string& text) const;

  const Effort effort_;
  std::string goal_;
  int missed_ = 0;
};

// With one digit behind the point.
std::string Text(double number);

}  // namespace lwmsg::test
