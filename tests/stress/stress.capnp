@0xd7f01b6c5a3e9284;
# What the stress tests speak: calls with a number each, so that it is known which were executed.

using Lwmsg = import "/lwmsg/lwmsg.capnp";
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("stress");

interface Counted {
  add @0 (amount :UInt64) -> (maker :UInt64, total :UInt64);
  # `maker` is the number of the call that made this object.
}

interface Stress {
  run @0 (id :UInt64) -> (id :UInt64);
  make @1 (id :UInt64) -> (object :Lwmsg.Handle(Counted));
  block @2 (id :UInt64) -> (id :UInt64) $Lwmsg.blocking;
  give @3 (id :UInt64, file :Lwmsg.OsHandle) -> (file :Lwmsg.OsHandle);
  # The same file comes back.
  keep @4 (id :UInt64) -> ();
  # Never answered: the handler lets go of it when it is cancelled.
  count @5 (to :UInt32) -> (number :UInt32, file :Lwmsg.OsHandle) $Lwmsg.stream(4);
  callBack @6 (rounds :UInt32, depth :UInt32) -> (calls :UInt32);
  # Calls the caller's `notify` that many times; `calls` is the sum of what it answers.
}

interface Caller {
  notify @0 (depth :UInt32) -> (calls :UInt32);
  # Calls `callBack` of the callee for one round if `depth` is not 0; `calls` counts all of them.
}
