# Interfaces that inherit.capnp extends, in another namespace.
@0xa1c6e35b90f7d284;

using Lwmsg = import "/lwmsg/lwmsg.capnp";
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("base::v1");

interface Node $Lwmsg.version(3) {
  # What all have.

  stat @0 () -> (size :UInt64);
  # How large it is.

  open @1 () -> (file :Lwmsg.OsHandle);
}

interface Marker {}

struct Range {
  from @0 :UInt64;
  to @1 :UInt64;
}
