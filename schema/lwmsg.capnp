@0xb4cd5e1f3a7c9d21;
# What a protocol schema imports: `using Lwmsg = import "/lwmsg/lwmsg.capnp";`

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("lwmsg::schema");

struct OsHandle @0xe2a1c4b67d905f13 {
  # An open file that travels with the message: a descriptor on Unix, a HANDLE on Windows.
  #
  # Generated code gives such a field `setX(lwmsg::OsHandle)` and `takeX()`; nobody else writes it.
  # An OsHandle that is absent or default is "no handle".

  slot @0 :UInt16;
  # 0 is "no handle"; n names the frame's handle number n - 1. A slot past the frame's handles, and
  # one slot named from two places of a message, make the message malformed.
}

struct Handle @0xf0b3d7c25e814a69 (Object) {
  # A name for an object that lives in the session of the side that made it. `Object` tells which
  # kind; it is checked when the name comes back. Names die with the session and are never reused
  # in it.

  id @0 :UInt64;
  # 0 is "no object".
}

annotation version @0xc5d28e614fb03a97 (interface) :UInt32;
# Which version of the interface the schema describes; 0 if it is not given. Both sides tell each
# other in hello, so that "unknown method" can say which side is older.

annotation oneway @0xd7f61b0c92e5843d (method) :Void;
# The method has no reply: the caller learns only that the request was queued. Such a method has no
# results.
