@0xd7b90a4e8c21f563;
# What the simulated services of the tests serve: each kind of method once. `number` tells calls apart, and
# those of one caller grow.

using Lwmsg = import "/lwmsg/lwmsg.capnp";
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("subject");

interface Item {
  add @0 (amount :UInt32) -> (count :UInt32);
}

interface Listener {
  notify @0 (round :UInt32) -> (round :UInt32);
}

interface Subject {
  echo @0 (number :UInt64, text :Text) -> (number :UInt64, text :Text);
  late @1 (number :UInt64) -> (number :UInt64);
  # Answered in one of many ways, or not.
  pass @2 (number :UInt64, file :Lwmsg.OsHandle) -> (number :UInt64, file :Lwmsg.OsHandle);
  # Gives the file back.
  note @3 (number :UInt64) $Lwmsg.oneway;
  count @4 (number :UInt64, to :UInt32) -> (number :UInt32, file :Lwmsg.OsHandle) $Lwmsg.stream(3);
  # From 0 up to, but without, `to`, some with a file.
  make @5 (number :UInt64) -> (item :Lwmsg.Handle(Item));
  use @6 (number :UInt64, item :Lwmsg.Handle(Item)) -> (count :UInt32);
  drop @7 (number :UInt64, item :Lwmsg.Handle(Item)) -> ();
  callBack @8 (number :UInt64, rounds :UInt32) -> (rounds :UInt32);
  # Calls the caller's Listener so often.
  block @9 (number :UInt64) -> (number :UInt64) $Lwmsg.blocking;
  hurry @10 (number :UInt64) -> (number :UInt64) $Lwmsg.timeout(5);
  # As late.
}
