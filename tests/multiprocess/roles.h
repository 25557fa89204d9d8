#pragma once

#include <map>
#include <string>
#include <vector>

#include "lwmsg/lwmsg.h"
#include "tests/support/process.h"

// What the child processes of these tests do. All become the user that `uid=`, `gid=` (the same if
// not given) and `groups=` (1,2,3) say, if they say so. They print one line for each thing that
// happens, and end when standard input does.
namespace lwmsg::test {

// The value of "key=value", empty if there is none.
std::string Value(const Arguments& arguments, const std::string& key);
void Say(const std::string& line);
// HardenProcess, if the arguments say `harden=yes`.
void Harden(const Arguments& arguments);

// A role; its result is the exit code.
using Role = int (*)(const Arguments&);

// What each system has its own of, in posix/ or windows/. Before it does anything else, a role
// becomes the user that the arguments say; that ends the process if it may not.
void BecomeWhom(const Arguments& arguments);
// By their names.
std::map<std::string, Role> RolesOfThisSystem();

// Serves Sample, after Harden: at `endpoint=` with `mode=` (octal) and at most `associations=`, on
// the listening descriptor `listening=`, or over the connected descriptor `socket=`. Prints
// "ready", or what was wrong; "kept" and "cancelled" for calls of keep. Told "count" it prints how
// many descriptors it has open; told "stop" it stops its server and prints "stopped".
int Serve(const Arguments& arguments);
// Serves Sample over the inherited pair, in silence, until that ends.
int ServePair(const Arguments& arguments);
// After Harden, calls whoami at `endpoint=` or over `socket=`. Prints "client TOKEN", what
// the server knows of it, and "server TOKEN", what it knows of the server; or "error STATUS". It
// and those below take a server of any user if `server=any`.
int Call(const Arguments& arguments);
// Calls keep at `endpoint=`. Prints "ended STATUS".
int Keep(const Arguments& arguments);
// Calls notify of Listener at `endpoint=` with so many `clients=` that share a session. Prints
// "answered", and "another session" for each time that it is not the same.
int Share(const Arguments& arguments);
// Connects to `endpoint=` with so many `clients=` and stays. Prints "N let in", and what the others
// were told, once.
int Occupy(const Arguments& arguments);
// Connects to `endpoint=`, calls notify and closes, `times=` times. Prints "answered N".
int ComeAndGo(const Arguments& arguments);

}  // namespace lwmsg::test
