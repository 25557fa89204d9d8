#pragma once

#include "tests/multiprocess/roles.h"

// Besides `uid=`, `gid=` and `groups=` a role takes `group_count=`, and `euid=` and `suid=`, with
// which it has three users and the groups of the same numbers.
//
// Roles that fork, inherit descriptors by number, or are started by a service manager.
namespace lwmsg::test {

// Listens at `endpoint=`, then forks; the child becomes `child_uid=`, if given, prints "ready PID"
// and serves. Told "parent stops" or "child stops", that one stops its server and prints "parent
// stopped" or "child stopped"; told "parent serves", the first process serves too and prints that.
int Daemon(const Arguments& arguments);
// Starts role `child=` with SpawnWithPair, reaps it and prints "child ended".
int Spawn(const Arguments& arguments);
// Takes the inherited pair, twice. Prints "took", its socket, and the status of the second time;
// then, from a process that it starts, "grandchild" with the sockets and the variable that arrived.
int TakeTwice(const Arguments& arguments);
int ListSockets(const Arguments& arguments);
// Connects to `endpoint=`, becomes user `become=` and prints "client" with the token that the
// server sees.
int CallAfterBecoming(const Arguments& arguments);
// Starts a process of its own user that does nothing but print "ready", after HardenProcess if
// `harden=yes`. Told anything, tries to take a descriptor of it, and prints "took it" or why not.
int Steal(const Arguments& arguments);
int LieInWait(const Arguments& arguments);
// Serve, in a user namespace that has root alone; in a pid namespace; and without /proc.
int ServeInUserNamespace(const Arguments& arguments);
int ServeInPidNamespace(const Arguments& arguments);
int ServeWithoutProc(const Arguments& arguments);
// Told "go" it listens at `endpoint=` and prints "mine", or what was wrong; told "leave" it stops
// and prints "left".
int Contend(const Arguments& arguments);
// Gives a file to the server at `endpoint=` while no descriptor of its user may travel, as too many
// wait in a socket that nobody reads, and again when that is over. Prints what became of each.
int GiveCrowded(const Arguments& arguments);
// Becomes role "activated" as a service manager would start it: with the descriptors `sockets=5,7`
// as 3 and 4, their `names=a:b`, and `notify=` in the environment; `count=` and `pid=` are lies.
int Activate(const Arguments& arguments);
// Takes the sockets `take=a,b`, and prints "took NAME: ENDPOINT" or a status for each; serves
// Sample on them; notifies with `text=` and prints "ready STATUS". Told "stop" it prints "stopping
// STATUS", told something else it passes that on and prints "told STATUS".
int Activated(const Arguments& arguments);

}  // namespace lwmsg::test
