@0xb6f0c48d2a5e9173;
# What the reliability run speaks.

using Lwmsg = import "/lwmsg/lwmsg.capnp";
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("reliability");

interface Work {
  count @0 (client :UInt32, number :UInt64) -> (number :UInt64, strange :UInt64);
  # Calls of one client have the numbers 1, 2, 3...: `strange` is how many did not follow the one before.
  # Client 0 is not counted.
  keep @1 (data :Data) -> ();
  # The handler keeps the call, and what is in it, until its caller waits no longer.
  note @2 (data :Data) $Lwmsg.oneway;
  # The handler keeps the call as long as the server lives.
  blob @3 (size :UInt32) -> (data :Data);
  # Answers with that many bytes.
  take @4 (file :Lwmsg.OsHandle) -> ();
  # The handler leaves the file where it is.
  whoami @5 () -> (user :Int64, process :Int64);
  # -1 for what is unknown.
}
