#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lwmsg/lwmsg.h"
#include "tests/multiprocess/process.h"

// What the child processes of these tests do. All become the user that `uid=`, `gid=` (the same if
// not given) and `groups=` (1,2,3) say, if they say so. They print one line for each thing that
// happens, and end when standard input does.
namespace lwmsg::test {

// The value of "key=value", empty if there is none.
std::string Value(const Arguments& arguments, const std::string& key);
std::optional<int> Number(const Arguments& arguments, const std::string& key);
void Say(const std::string& line);
// Becomes the user that the arguments say. Ends the process if it may not.
void BecomeWhom(const Arguments& arguments);

// Serves Sample: at `endpoint=` with `mode=` (octal), on the listening descriptor `listening=`,
// or over the connected descriptor `socket=`. Prints "ready", or what was wrong; "kept" and
// "cancelled" for calls of keep. Told "stop" it stops its server and prints "stopped".
int Serve(const Arguments& arguments);
// Listens at `endpoint=`, then forks; the child becomes `child_uid=`, if given, prints "ready PID"
// and serves. Told "parent stops" or "child stops", that one stops its server and prints "parent
// stopped" or "child stopped"; told "parent serves", the first process serves too and prints that.
int Daemon(const Arguments& arguments);
// Serves Sample over the inherited pair, in silence, until that ends.
int ServePair(const Arguments& arguments);
// Calls whoami at `endpoint=` or over `socket=`. Prints "client TOKEN", what
// the server knows of it, and "server TOKEN", what it knows of the server; or "error STATUS".
int Call(const Arguments& arguments);
// Calls keep at `endpoint=`. Prints "ended STATUS".
int Keep(const Arguments& arguments);
// Starts role `child=` with SpawnWithPair, reaps it and prints "child ended".
int Spawn(const Arguments& arguments);
// Takes the inherited pair, twice. Prints "took", its socket, and the status of the second time;
// then, from a process that it starts, "grandchild" with the sockets and the variable that arrived.
int TakeTwice(const Arguments& arguments);
int ListSockets(const Arguments& arguments);
// Becomes role "activated" as a service manager would start it: with the descriptors `sockets=5,7`
// as 3 and 4, their `names=a:b`, and `notify=` in the environment; `count=` and `pid=` are lies.
int Activate(const Arguments& arguments);
// Takes the sockets `take=a,b`, and prints "took NAME: ENDPOINT" or a status for each; serves
// Sample on them; notifies with `text=` and prints "ready STATUS". Told "stop" it prints "stopping
// STATUS", told something else it passes that on and prints "told STATUS".
int Activated(const Arguments& arguments);

}  // namespace lwmsg::test
