#include "meter.h"

#include <algorithm>
#include <limits>

namespace bench {

namespace {

constexpr size_t kMostSamples = 1 << 18;
constexpr auto kWindow = std::chrono::milliseconds(2);

double Seconds(Meter::Clock::duration time) { return std::chrono::duration<double>(time).count(); }

}  // namespace

Meter::Meter(size_t most, Clock::duration time, size_t stride, size_t most_samples)
    : most_(most), stride_(stride), samples_(most_samples), end_(start_ + time) {}

Meter Meter::Of(size_t answers) { return Meter(answers, std::chrono::hours(1), answers + 1, 0); }

Meter Meter::During(Clock::duration time, size_t stride) {
  return Meter(std::numeric_limits<size_t>::max(), time, stride, kMostSamples);
}

bool Meter::Done() {
  ++answers_;
  if (answers_ % stride_ == 0) {
    const auto now = Clock::now();
    if (sample_count_ < samples_.size())
      samples_[sample_count_++] = static_cast<uint32_t>((now - last_).count());
    last_ = now;
    if (now - window_ >= kWindow) EndWindow(now);
  }
  return answers_ < most_ && last_ < end_;
}

void Meter::EndWindow(Clock::time_point now) {
  rates_.push_back(static_cast<double>(answers_ - window_answers_) / Seconds(now - window_));
  window_ = now;
  window_answers_ = answers_;
}

double Meter::Rate() {
  if (rates_.empty()) EndWindow(Clock::now());
  const auto middle = rates_.begin() + static_cast<ptrdiff_t>(rates_.size() / 2);
  std::nth_element(rates_.begin(), middle, rates_.end());
  return *middle;
}

double Meter::Percentile(double percent) {
  if (sample_count_ == 0) return 0;
  const auto at = static_cast<ptrdiff_t>(static_cast<double>(sample_count_ - 1) * percent / 100);
  const auto end = samples_.begin() + static_cast<ptrdiff_t>(sample_count_);
  std::nth_element(samples_.begin(), samples_.begin() + at, end);
  return samples_[static_cast<size_t>(at)] / 1e3;
}

}  // namespace bench
