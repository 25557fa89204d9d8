@0xc1f4a7d90e6b2835;
# What the fuzzer of a user's service is tried with.

using Lwmsg = import "/lwmsg/lwmsg.capnp";

interface Box {
  put @0 (place :UInt8 $Lwmsg.range(max = 15), label :Text, file :Lwmsg.OsHandle) -> ();
  get @1 (place :UInt8) -> (label :Text, file :Lwmsg.OsHandle);
  labels @2 () -> (label :Text) $Lwmsg.stream(4);
  lock @3 () -> (lock :Lwmsg.Handle(Lock));
  clear @4 () $Lwmsg.oneway;
}

interface Lock {
  count @0 () -> (holders :UInt32);
}
