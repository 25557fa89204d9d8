@0xe5c07a1d93b2f846;
# What the archive tests write. Ids are explicit, so that a test can write other versions down.

using Lwmsg = import "/lwmsg/lwmsg.capnp";
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("notes");

struct Note @0xd2b40f6e81c3a579 {
  title @0 :Text;
  key @1 :Text $Lwmsg.sensitive;
  file @2 :Lwmsg.OsHandle;
  replies @3 :List(Note);
}

interface Notes @0xf19d5c3a7e0b8264 $Lwmsg.version(2) {
  add @0 (note :Note, pin :UInt32 $Lwmsg.sensitive) -> (number :UInt32);
  get @1 (number :UInt32) -> Note;
  touch @2 (number :UInt32) $Lwmsg.oneway;
  latest @3 () -> Note;
}

interface Files @0xa9c16e0f7d3b5824 {
  give @0 (file :Lwmsg.OsHandle $Lwmsg.required, key :Text $Lwmsg.sensitive $Lwmsg.length(min = 3)) -> ();
}
