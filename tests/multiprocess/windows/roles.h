#pragma once

#include "tests/multiprocess/roles.h"

// Roles that look at the pipes which a spawned child has.
namespace lwmsg::test {

// Starts role `child=` with SpawnWithPair, waits for its end and prints "child ended".
int Spawn(const Arguments& arguments);
// Takes the inherited pair, twice. Prints "took" and how many handles it has of that pipe, and the
// status of the second time; then starts role "count-pipes", which inherits all that is inherited,
// among it one end of another pair.
int TakeTwice(const Arguments& arguments);
// Prints "grandchild" and how many handles it has of the pipes `pair=` and `other=`, and whether
// the variable arrived.
int CountPipes(const Arguments& arguments);
// A server that is no lwmsg, over the inherited pair, and may not duplicate: its answer to the
// first call, of collect, has a file with the number `number=`, or one of its own events. Ends when
// its client does.
int OfferNumber(const Arguments& arguments);

}  // namespace lwmsg::test
