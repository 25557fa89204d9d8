@0xa8e0f2b4c6d81357;
# What the tests speak: one method for each thing that a service can do.

using Lwmsg = import "/lwmsg/lwmsg.capnp";
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("sample");

struct Item {
  name @0 :Text;
  file @1 :Lwmsg.OsHandle;
  children @2 :List(Item);
}

interface Object {
  # What `make` makes: counts.
  add @0 (amount :UInt32) -> (count :UInt32);
  object @1 () -> (object :Lwmsg.Handle(Object));
  # The same object, named once more.
}

interface Sample $Lwmsg.version(3) {
  echo @0 (text :Text) -> (text :Text);
  # The handler answers with the same.
  open @1 (path :Text) -> (file :Lwmsg.OsHandle);
  # The handler opens and hands over.
  give @2 (first :Lwmsg.OsHandle, second :Lwmsg.OsHandle) -> (content :Text);
  # The handler reads both.
  nothing @3 () -> ();
  log @4 (text :Text) $Lwmsg.oneway;
  # The handler remembers the text.
  keep @5 (text :Text) -> (text :Text);
  # The handler keeps the call for the test to answer.
  fail @6 (code :UInt16, text :Text) -> ();
  throwing @7 (what :Text) -> ();
  # Throws a std::runtime_error, something else for "int", a kj::Exception for "kj".
  forget @8 () -> ();
  # The handler returns without an answer.
  callBack @9 (rounds :UInt32) -> (rounds :UInt32);
  # The handler calls the caller's Listener that many times, in a coroutine.
  whoami @10 () -> (euid :Int64, egid :Int64, pid :Int64, text :Text);
  # -1 for what is unknown.
  blob @11 (data :Data, size :UInt32) -> (data :Data);
  # Answers with that many bytes.
  collect @12 (items :List(Item)) -> (items :List(Item));
  # Takes every file, at any depth, and sends it back in a flat list.
  make @13 () -> (object :Lwmsg.Handle(Object));
  use @14 (object :Lwmsg.Handle(Object)) -> (count :UInt32);
  drop @15 (object :Lwmsg.Handle(Object)) -> ();
  count @16 (from :UInt32, to :UInt32) -> (number :UInt32) $Lwmsg.stream(4);
  # The numbers from `from` up to, but without, `to`.
  watch @17 (text :Text) -> (text :Text) $Lwmsg.stream(2);
  # The handler keeps the call for the test.
  block @18 (text :Text) -> (text :Text) $Lwmsg.blocking;
  # The handler runs what the test says, on a thread of the pool.
  hurry @19 () -> () $Lwmsg.timeout(50);
  # The handler keeps the call; its callers wait 50 ms.
  callObject @20 (listener :Lwmsg.Handle(Listener), rounds :UInt32) -> (rounds :UInt32);
  # The handler calls the caller's object that many times, in a coroutine.
  me @21 () -> (name :Text);
  # What the session's constructor made for the caller.
  lend @22 (process :Lwmsg.OsHandle $Lwmsg.processHandle) -> (process :Lwmsg.OsHandle $Lwmsg.processHandle);
  # The handler sends it back.
  share @23 (memory :Lwmsg.SharedMemory, keep :Bool) -> (sum :UInt64, constant :Bool);
  # The handler adds up the bytes; it keeps the memory for the test if it shall.
  render @24 (size :UInt32, own :Bool) -> (memory :Lwmsg.SharedMemory);
  # The handler answers with that many bytes, each its own index, of its pool or of their own.
  examine @25 (file :Lwmsg.OsHandle $Lwmsg.kind(file = true, read = true)) -> ();
}

interface Listener {
  notify @0 (round :UInt32) -> (round :UInt32);
}
