# Named and generic structs as params and results; OS handles in unions, in groups and as type arguments.
@0xe9d20b7f64a1c358;

using Lwmsg = import "/lwmsg/lwmsg.capnp";
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("gen");

enum Color { red @0; green @1; }

struct Box(T) {
  value @0 :T;
  count @1 :UInt32 = 1;

  struct Inner(U) {
    left @0 :T;
    right @1 :U;
  }
  struct Plain { value @0 :T; }
}

struct Source {
  name @0 :Text = "stdin";
  union {
    file @1 :Lwmsg.OsHandle;
    # An open file.
    socket @2 :Lwmsg.OsHandle;
    nothing @3 :Void;
  }
  limits :group {
    lock @4 :Lwmsg.OsHandle;
    depth @5 :UInt16;
  }
  rest @6 :List(Source);
  any @7 :AnyPointer;
}

interface Object {
  poke @0 ();
}

interface Generics {
  named @0 Source -> Source;
  box @1 Box(Lwmsg.OsHandle) -> Box(Text);
  inner @2 Box(Text).Inner(Lwmsg.OsHandle) -> Box(List(Source)).Inner(Data);
  plain @3 Box(Lwmsg.OsHandle).Plain -> Box(List(Color)).Plain;
  open @4 Box -> Box.Plain;
  lists @5 Box(List(List(UInt8))) -> Box(List(Box(Lwmsg.OsHandle)));
  object @6 (object :Lwmsg.Handle(Object)) -> (objects :List(Lwmsg.Handle(Object)));
  handle @7 Lwmsg.Handle(Object) -> Lwmsg.OsHandle;
  boxes @8 Box(Box(Data)) -> ();
  defaults @9 (color :Color = green, bytes :Data = 0x"01 02", box :Box(Text) = (value = "x"));
}
