@0xe2a8b6d1940f7c35;
# What Cap'n Proto's own RPC speaks in the benchmark: descriptors travel as capabilities.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("bench::rpc");

interface File {}

interface Bench {
  echo @0 (data :Data) -> (data :Data);
  take @1 (data :Data) -> (digest :UInt64);
  pass @2 (file :File) -> (file :File);
  share @3 (file :File, bytes :UInt64) -> (digest :UInt64);
}
