#include "tests/faults/report.h"

#include <algorithm>

namespace faults {

void Report::Say(std::string_view what) {
  if (has_text.exchange(true)) return;
  const size_t size = std::min(what.size(), text.size() - 1);
  std::copy_n(what.begin(), size, text.begin());
}

void Report::Wrong(std::string_view what) {
  if (wrong++ != 0) return;
  has_text = false;
  text = {};
  Say(what);
}

}  // namespace faults
