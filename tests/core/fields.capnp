@0xc47e1f9b2d8a6053;
# Types for the tests of what a schema says about its fields.

using Lwmsg = import "/lwmsg/lwmsg.capnp";
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("fields");

interface File {}
struct User {}

struct Box(T) {
  value @0 :T;
}

struct ObjectGroup {
  file @0 :Lwmsg.Handle(File);
  list @1 :List(Lwmsg.Handle(File));
  boxed @2 :Box(Lwmsg.Handle(User));
  open @3 :Lwmsg.Handle;
  other :union {
    active @4 :Lwmsg.Handle(File);
    inactive @5 :Lwmsg.Handle(File);
  }
  inner :group {
    session @6 :Lwmsg.Handle(User);
  }
}
