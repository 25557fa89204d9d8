#pragma once

#include <chrono>
#include <string>

#include "contender.h"

namespace bench {

// Measures `contender` in `scenario` for about `time` and prints a line for each figure: what it is
// of, the number, its unit. False if the contender cannot do that.
bool Measure(const Contender& contender, const std::string& scenario,
             std::chrono::nanoseconds time);

// One of several client processes of a scenario: calls from now on, measures from `start` on for
// `time`, and tells the process that measures by standard output.
void CallAsPart(const Contender& contender, const std::string& endpoint,
                const std::string& scenario, std::chrono::steady_clock::time_point start,
                std::chrono::nanoseconds time);

// A client's whole life: connects, calls once, and says so on standard output.
void CallOnce(const Contender& contender, const std::string& endpoint);

}  // namespace bench
