// A case as text, and back.
#include <cstring>
#include <sstream>
#include <stdexcept>

#include "tests/faults/runner.h"

namespace faults {
namespace {

constexpr const char* kWhat[] = {"nothing", "fail", "short", "kill"};

template <typename Names>
size_t Find(const Names& names, const std::string& name) {
  size_t i = 0;
  for (const auto& each : names) {
    if (name == each) return i;
    ++i;
  }
  throw std::invalid_argument("a case has no '" + name + "'");
}

Call CallOf(const std::string& name) {
  for (size_t i = 0; i < kCalls; ++i) {
    if (name == NameOf(static_cast<Call>(i))) return static_cast<Call>(i);
  }
  throw std::invalid_argument("no call is called '" + name + "'");
}

int ErrorOf(Call call, const std::string& name) {
  for (const int error : ErrorsOf(call)) {
    if (name == strerrorname_np(error)) return error;
  }
  return 0;
}

}  // namespace

std::string Case::ToString() const {
  std::ostringstream text;
  text << (in_server ? "server" : "client")
       << (session == Session::kBlocking ? " blocking " : " callbacks ")
       << kWhat[static_cast<size_t>(plan.what)] << ' ' << NameOf(plan.call) << ' ' << plan.first
       << ' ' << plan.count << ' ' << (plan.error != 0 ? strerrorname_np(plan.error) : "-");
  return text.str();
}

Case Case::Parse(const std::string& text) {
  std::istringstream words(text);
  std::string role;
  std::string session;
  std::string what;
  std::string call;
  std::string error;
  Case one;
  words >> role >> session >> what >> call >> one.plan.first >> one.plan.count >> error;
  one.in_server = Find(std::initializer_list<const char*>{"client", "server"}, role) == 1;
  one.session = static_cast<Session>(
      Find(std::initializer_list<const char*>{"blocking", "callbacks"}, session));
  one.plan.what = static_cast<What>(Find(kWhat, what));
  one.plan.call = CallOf(call);
  one.plan.error = ErrorOf(one.plan.call, error);
  return one;
}

}  // namespace faults
