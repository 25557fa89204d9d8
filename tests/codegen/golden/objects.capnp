# Session objects, streams, and what else is said of methods.
@0xb7c2e94f10d8a356;

using Lwmsg = import "/lwmsg/lwmsg.capnp";
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("objects");

interface File {
  read @0 (count :UInt32) -> (data :Data);
}

struct Ticket {}

interface Store {
  open @0 (name :Text) -> (file :Lwmsg.Handle(File), ticket :Lwmsg.Handle(Ticket));
  close @1 (file :Lwmsg.Handle(File)) $Lwmsg.timeout(250);
  find @2 () -> Found;
  watch @3 (name :Text) -> (file :Lwmsg.Handle(File), descriptor :Lwmsg.OsHandle) $Lwmsg.stream(8);
  sync @4 () $Lwmsg.blocking;
}

struct Found {
  union {
    none @0 :Void;
    file @1 :Lwmsg.Handle(File);
  }
}

interface Slow $Lwmsg.blocking {
  think @0 () $Lwmsg.timeout(0);
}
