#include "tests/reliability/figures.h"

#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <thread>

namespace lwmsg::test {
namespace {

std::string Folder(pid_t process) { return "/proc/" + std::to_string(process); }

// The number behind `key` of /proc/PID/status.
size_t StatusNumber(pid_t process, const std::string& key) {
  std::ifstream status(Folder(process) + "/status");
  for (std::string word; status >> word;) {
    size_t number = 0;
    if (word == key && status >> number) return number;
  }
  return 0;
}

}  // namespace

size_t ResidentKib(pid_t process) { return StatusNumber(process, "VmRSS:"); }

size_t PeakResidentKib(pid_t process) { return StatusNumber(process, "VmHWM:"); }

size_t Descriptors(pid_t process) {
  std::error_code error;
  const std::filesystem::directory_iterator files(Folder(process) + "/fd", error);
  return error ? 0 : static_cast<size_t>(std::distance(begin(files), end(files)));
}

size_t ProcessDescriptors(pid_t process) {
  size_t count = 0;
  std::error_code error;
  for (const auto& file : std::filesystem::directory_iterator(Folder(process) + "/fd", error)) {
    const std::string target = std::filesystem::read_symlink(file, error);
    if (target.find("pidfd") != std::string::npos) ++count;
  }
  return count;
}

size_t MostDescriptors() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

bool Await(const std::function<bool()>& done, std::chrono::milliseconds longest) {
  const auto end = std::chrono::steady_clock::now() + longest;
  while (!done()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

double P99(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto place = values.begin() + static_cast<ptrdiff_t>(values.size() * 99 / 100);
  std::nth_element(values.begin(), place, values.end());
  return *place;
}

}  // namespace lwmsg::test
