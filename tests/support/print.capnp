@0xbb1f6d2c40a97e35;
# One field of each kind, for printing and archives.

using Lwmsg = import "/lwmsg/lwmsg.capnp";
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("printed");

enum Color { red @0; green @1; }

interface Kind {}

struct All {
  text @0 :Text;
  data @1 :Data;
  color @2 :Color;
  real @3 :Float64;
  file @4 :Lwmsg.OsHandle;
  object @5 :Lwmsg.Handle(Kind);
  secret @6 :Text $Lwmsg.sensitive;
  group :group {
    x @7 :Int32;
    key @8 :UInt64 $Lwmsg.sensitive;
  }
  union {
    flag @9 :Bool;
    password @10 :Text $Lwmsg.sensitive;
  }
  list @11 :List(All);
  nested @12 :All;
}

interface Printed {
  all @0 (all :All) -> (all :All);
}
