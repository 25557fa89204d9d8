@0xc3a19f5e8d27b640;
# What the conformance suite speaks.

using Lwmsg = import "/lwmsg/lwmsg.capnp";
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("conformance");

struct State {}
# What either side may keep for the other; it has no methods.

struct File {
  file @0 :Lwmsg.OsHandle;
}

struct Level {
  next @0 :Level;
}

interface Counter {
  add @0 (amount :UInt32) -> (total :UInt32);
}

interface Listener {
  # What callers serve, or pass as an object.
  notify @0 (number :UInt32) -> (number :UInt32);
  # Answers with twice the number.
  bring @1 (state :Lwmsg.Handle(State) $Lwmsg.fromReceiver) -> (text :Text);
  # Answers with the text of the caller's own State.
}

interface Target $Lwmsg.version(1) {
  ping @0 () -> ();
  foo @1 (numbers :List(UInt64), text :Text) -> (numbers :List(UInt64), text :Text);
  # The handler answers with the same.
  whoami @2 () -> (euid :Int64, egid :Int64);
  # -1 for what is unknown.
  open @3 (text :Text, number :Int32) -> (state :Lwmsg.Handle(State));
  readText @4 (state :Lwmsg.Handle(State) $Lwmsg.fromReceiver) -> (text :Text);
  readNumber @5 (state :Lwmsg.Handle(State) $Lwmsg.fromReceiver) -> (number :Int32);
  close @6 (state :Lwmsg.Handle(State) $Lwmsg.fromReceiver) -> ();
  same @7 () -> (state :Lwmsg.Handle(State));
  # The same object each time.
  maybe @8 (state :Lwmsg.Handle(State)) -> (none :Bool, state :Lwmsg.Handle(State));
  # Whether it got none; answers with none.
  lend @9 (state :Lwmsg.Handle(State) $Lwmsg.fromSender) -> (text :Text);
  # The handler brings it back to the caller's Listener and answers with what that says.
  callBack @10 (listener :Lwmsg.Handle(Listener), rounds :UInt32) -> (sum :UInt32);
  # The handler notifies the caller's Listener that many times; without one, the Listener that the caller serves.
  readFile @11 (file :Lwmsg.OsHandle) -> (content :Text);
  ignoreFile @12 (file :Lwmsg.OsHandle) -> ();
  files @13 (files :List(File)) -> (files :List(File));
  # The handler sends them back in reverse order.
  bogus @14 (number :UInt32) -> (number :UInt32 $Lwmsg.range((max = 100)));
  # The handler answers with the same.
  large @15 (size :UInt32) -> (data :Data);
  fail @16 (code :UInt16, text :Text) -> ();
  makeCounter @17 () -> (counter :Lwmsg.Handle(Counter));
  keep @18 (text :Text) -> (text :Text);
  # The handler runs what the test says.
  block @19 (text :Text) -> (text :Text) $Lwmsg.blocking;
  # The same, on a thread of the pool.
  level @20 (level :Level) -> ();
  name @21 () -> (name :Text);
  # What the session's constructor made for the caller.
}

interface Elsewhere {
  # Nobody serves it.
  ping @0 () -> ();
}
