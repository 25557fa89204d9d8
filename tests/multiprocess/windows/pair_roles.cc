#include <windows.h>

#include <algorithm>

#include "runtime/windows/pipe_name.h"
#include "runtime/windows/wide_text.h"
#include "tests/hostile/raw_frames.h"
#include "tests/hostile/windows/raw_handles.h"
#include "tests/multiprocess/windows/roles.h"
#include "tests/support/system.h"
#include "tests/support/windows/handle_table.h"

// The roles of spawned children.
namespace lwmsg::test {
namespace {

std::string NameOf(const OsHandle& pipe) { return internal::ToUtf8(internal::NameOfPipe(pipe)); }

std::string CountOf(const std::string& pipe) {
  const auto names = NamesOfPipes(OwnProcessId());
  return std::to_string(std::count(names.begin(), names.end(), pipe));
}

// Unlike Process it hands on every handle that is inherited, as a program that knows nothing of
// lists does.
int StartPlainly(const std::string& role, const Arguments& arguments) {
  std::string line = '"' + OwnPath() + "\" --role=" + role;
  for (const std::string& argument : arguments) line += " \"" + argument + '"';
  STARTUPINFOA start{};
  start.cb = sizeof(start);
  PROCESS_INFORMATION child{};
  if (!CreateProcessA(nullptr, line.data(), nullptr, nullptr, TRUE, 0, nullptr, nullptr, &start,
                      &child)) {
    return 1;
  }
  CloseHandle(child.hThread);
  return WaitForEnd(OsHandle(child.hProcess)) ? 0 : 1;
}

}  // namespace

int Spawn(const Arguments& arguments) {
  auto child = SpawnWithPair({OwnPath(), "--role=" + Value(arguments, "child")});
  if (!child) return Say(child.error().ToString()), 1;
  const bool ended = WaitForEnd(child->process);
  Say("child ended");
  return ended ? 0 : 1;
}

int TakeTwice(const Arguments& /*arguments*/) {
  auto pair = TakeInheritedPair();
  if (!pair) return Say(pair.error().ToString()), 1;
  const std::string name = NameOf(*pair);
  Say("took " + CountOf(name) + " of " + name);
  auto second = TakeInheritedPair();
  Say(second ? "took a second" : second.error().ToString());
  auto other = MakePair();
  if (!other) return Say(other.error().ToString()), 1;
  MakeInherited(other->first);
  return StartPlainly("count-pipes", {"pair=" + name, "other=" + NameOf(other->first)});
}

int CountPipes(const Arguments& arguments) {
  Say("grandchild has " + CountOf(Value(arguments, "pair")) + " of the pair, " +
      CountOf(Value(arguments, "other")) + " of the other");
  const bool set = GetEnvironmentVariableA("LWMSG_PAIR_HANDLE", nullptr, 0) != 0;
  Say(std::string("grandchild variable ") + (set ? "set" : "unset"));
  return 0;
}

int OfferNumber(const Arguments& arguments) {
  auto pair = TakeInheritedPair();
  if (!pair) return Say(pair.error().ToString()), 1;
  RawPeer peer{RawStream(std::move(*pair))};
  const OsHandle ledger = MakeSection(kLedgerBytes);
  const OsHandle event = MakeEvent();
  const std::string number = Value(arguments, "number");
  const uint64_t value = number.empty() ? ValueOf(event) : std::stoull(number);
  peer.Write(HelloFrame() + ControlFrame({kAsk, 0, ValueOf(ledger)}) +
             FilesReplyFrame(kFirstCallId, {{kOffered, kEvent, value}}));
  AwaitEnd(peer);
  return 0;
}

}  // namespace lwmsg::test
