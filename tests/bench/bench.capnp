@0xb7c15fd0a84e2693;
# What lwmsg and Cap'n Proto's own RPC speak in the benchmark.

using Lwmsg = import "/lwmsg/lwmsg.capnp";
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("bench");

interface Bench {
  echo @0 (data :Data) -> (data :Data);
  take @1 (data :Data) -> (digest :UInt64);
  pass @2 (file :Lwmsg.OsHandle) -> (file :Lwmsg.OsHandle);
  share @3 (file :Lwmsg.OsHandle, bytes :UInt64) -> (digest :UInt64);
  takeShared @4 (memory :Lwmsg.SharedMemory) -> (digest :UInt64);
}
