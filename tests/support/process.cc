#include "tests/support/process.h"

#include <cstdlib>

#include "tests/support/system.h"

namespace lwmsg::test {

Process::~Process() {
  if (pid_ == 0) return;
  Kill();
  Wait();
}

std::string Process::ReadLine() {
  while (unread_.find('\n') == std::string::npos) {
    if (!ReadMore()) return "(nothing)";
  }
  const size_t end = unread_.find('\n');
  std::string line = unread_.substr(0, end);
  unread_.erase(0, end + 1);
  if (line.ends_with('\r')) line.pop_back();  // The ends of lines on Windows.
  return line;
}

void Process::Tell(const std::string& line) {
  if (!WriteAll(to_role_, line + "\n")) std::abort();
}

}  // namespace lwmsg::test
