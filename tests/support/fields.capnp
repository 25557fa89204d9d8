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

enum Color { red @0; green @1; blue @2; }

struct Integers {
  u8 @0 :UInt8 = 10 $Lwmsg.range(min = 5, max = 200);
  i8 @1 :Int8 $Lwmsg.range(min = -100, max = 100);
  u16 @2 :UInt16 $Lwmsg.range(max = 4096);
  i16 @3 :Int16 = -7 $Lwmsg.range(max = -1);
  u32 @4 :UInt32 = 1 $Lwmsg.range(min = 1, max = 4096);
  i32 @5 :Int32 $Lwmsg.range(min = -5);
  u64 @6 :UInt64 $Lwmsg.range(max = 9);
  i64 @7 :Int64 $Lwmsg.range(min = -9223372036854775807);
  open @8 :UInt64 = 18446744073709551615 $Lwmsg.range(min = 3);
  flags @9 :UInt16 = 0x21 $Lwmsg.bits(0x8031);
  color @10 :Color = blue $Lwmsg.known;
  anything @11 :Color;
}

struct Lists {
  bytes @0 :List(UInt8) $Lwmsg.range(max = 9);
  shorts @1 :List(Int16) $Lwmsg.range(min = -3, max = 3);
  words @2 :List(Int32) $Lwmsg.range(min = -3, max = 3);
  longs @3 :List(UInt64) $Lwmsg.range(max = 9);
  colors @4 :List(Color) $Lwmsg.known;
  flags @5 :List(UInt32) $Lwmsg.bits(3);
  tiny @6 :List(Int8) $Lwmsg.range(min = -3, max = 3);
  three @7 :List(Text) $Lwmsg.length(max = 3);
  some @8 :List(Bool) $Lwmsg.length(min = 1);
  wide @9 :List(Int64) $Lwmsg.range(min = -3, max = 3);
  half @10 :List(UInt16) $Lwmsg.range(max = 9);
}

struct Texts {
  name @0 :Text $Lwmsg.length(max = 4);
  code @1 :Text = "abc" $Lwmsg.length(min = 2, max = 4);
  raw @2 :Data $Lwmsg.length(max = 4);
  key @3 :Data = 0x"01 02" $Lwmsg.length(min = 2);
  items @4 :List(UInt8) = [1, 2] $Lwmsg.length(min = 2);
}

struct Musts {
  text @0 :Text $Lwmsg.required;
  inner @1 :Musts;
  file @2 :Lwmsg.OsHandle $Lwmsg.required;
  object @3 :Lwmsg.Handle(File) $Lwmsg.required $Lwmsg.fromSender;
  list @4 :List(UInt8) $Lwmsg.required;
  any @5 :AnyPointer $Lwmsg.required;
  choice :union {
    none @6 :Void;
    left @7 :User $Lwmsg.required;
    right @8 :Text $Lwmsg.required;
  }
}

struct Owners {
  mine @0 :Lwmsg.Handle(File) $Lwmsg.fromSender;
  yours @1 :Lwmsg.Handle(File) $Lwmsg.fromReceiver;
  many @2 :List(Lwmsg.Handle(File)) $Lwmsg.fromReceiver;
  either @3 :Lwmsg.Handle(File);
}

struct Width {
  width @0 :UInt32 = 1 $Lwmsg.range(min = 1, max = 4096);
}

struct Tree {
  items @0 :List(Width);
  next @1 :Tree;
  boxed @2 :Box(Width);
  lists @3 :List(List(Width));
  body :group {
    width @4 :UInt32 $Lwmsg.range(max = 4096);
  }
  choice :union {
    first @5 :UInt32 $Lwmsg.range(max = 4096);
    second @6 :UInt32;
    third :group {
      width @7 :UInt32 $Lwmsg.range(max = 4096);
    }
  }
}

struct Secrets {
  pin @0 :UInt32 $Lwmsg.range(max = 9999) $Lwmsg.sensitive;
  password @1 :Text $Lwmsg.length(max = 8) $Lwmsg.sensitive;
  flags @2 :UInt8 $Lwmsg.bits(1) $Lwmsg.sensitive;
}

struct Login {
  name @0 :Text;
  password @1 :Text $Lwmsg.sensitive;
}

struct Logins {
  list @0 :List(Box(Login));
}

# Older and newer versions of one struct.
struct OldOne {
  a @0 :UInt64;
}
struct NewOne {
  a @0 :UInt64;
  b @1 :UInt32 = 7 $Lwmsg.range(min = 5);
  c @2 :Text = "seven" $Lwmsg.length(min = 5);
}
enum MoreColors { red @0; green @1; blue @2; gray @3; }
struct ColorsOfLater {
  color @0 :MoreColors;
}
struct ColorsOfNow {
  color @0 :Color $Lwmsg.known;
}

interface Screen {
  resize @0 (items :List(Width), scale :UInt8 = 1 $Lwmsg.range(min = 1)) -> (
      left :Int32 $Lwmsg.range(min = 0));
  login @1 (login :Login) -> (token :Data $Lwmsg.sensitive);
  plain @2 (text :Text) -> (text :Text);
}

# What LWMsg's own tests of marshalling are about; see tests/core/README.md.
struct Basic {
  foo @0 :Int16;
  bar @1 :UInt64;
  baz @2 :List(Int32);
}
struct Strings {
  foo @0 :Text $Lwmsg.length(max = 255);
  bar @1 :Text $Lwmsg.sensitive;
}
struct StringLists {
  free @0 :List(Text);
  must @1 :List(Text) $Lwmsg.required;
}
struct Arms {
  first :union {
    number @0 :UInt32 $Lwmsg.range(max = 9);
    text @1 :Text $Lwmsg.length(max = 3);
    nothing @2 :Void;
  }
  second :union {
    number @3 :UInt32 $Lwmsg.range(max = 9);
    inner :union {
      left @4 :Text $Lwmsg.required;
      nothing @5 :Void;
    }
  }
}
struct Fixed {
  three @0 :List(Int16) $Lwmsg.length(min = 3, max = 3);
}
struct Levels {
  union {
    level1 @0 :List(Width) $Lwmsg.length(max = 2);
    level2 @1 :List(Login) $Lwmsg.length(max = 4);
  }
}
struct Narrow {
  int8 @0 :Int16 $Lwmsg.range(min = -128, max = 127);
  int16 @1 :UInt32 $Lwmsg.range(max = 32767);
}

struct Kinds {
  file @0 :Lwmsg.OsHandle $Lwmsg.kind(file = true, read = true);
  log @1 :Lwmsg.OsHandle $Lwmsg.kind(write = true);
  ends @2 :List(Lwmsg.OsHandle) $Lwmsg.kind(pipe = true, socket = true);
  folder @3 :Lwmsg.OsHandle $Lwmsg.kind(directory = true);
  device @4 :Lwmsg.OsHandle $Lwmsg.kind(device = true, read = true, write = true);
}

struct Memories {
  list @0 :List(Lwmsg.SharedMemory);
}
