#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace bench {

// Counts answers until a time is over, and takes the time from one to the next.
class Meter {
 public:
  using Clock = std::chrono::steady_clock;

  // Of that many answers.
  static Meter Of(size_t answers);
  // Of as long as `time` lasts. The clock is read with each `stride`th answer, and what passed
  // since the reading before is a sample: a call's own time only with one call under way and a
  // stride of 1.
  static Meter During(Clock::duration time, size_t stride);

  // An answer has come: whether there shall be another call.
  bool Done();

  size_t answers() const { return answers_; }
  // Answers a second, as the median of short windows: where other processes take the processor away
  // for a while, those windows are few and long.
  double Rate();
  // Of the samples, in microseconds.
  double Percentile(double percent);

 private:
  void EndWindow(Clock::time_point now);
  Meter(size_t most, Clock::duration time, size_t stride, size_t most_samples);

  size_t most_;
  size_t stride_;
  size_t answers_ = 0;
  // Pages that are touched for the first time would be felt: all is there from the start.
  std::vector<uint32_t> samples_;
  size_t sample_count_ = 0;
  std::vector<double> rates_;
  size_t window_answers_ = 0;
  Clock::time_point start_ = Clock::now();
  Clock::time_point end_;
  Clock::time_point last_ = start_;
  Clock::time_point window_ = start_;
};

}  // namespace bench
