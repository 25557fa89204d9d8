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

struct SharedMemory @0xd81e5f0a3b92c647 {
  # Bytes that the receiver reads where the sender wrote them: only their place travels with the message. For
  # what is large; up to some 100 KiB, Data is no slower.
  #
  # Generated code gives such a field `setX(lwmsg::WritableMemory)` and `takeX()`, which gives a
  # lwmsg::SharedMemory; nobody else writes it. One that is absent or default is "no memory".

  memory @0 :OsHandle;
  # Memory that can neither shrink nor grow, has no holes, and that nobody can begin to write: a memfd with
  # seals, a section on Windows. Of the bytes' own (then nobody can write it at all, on Linux) or, the first
  # time that this message's sender names it to its receiver, of a pool.

  pool @1 :UInt64;
  # 0: the memory is these bytes' own. Otherwise the sender's number for a pool, which the receiver keeps
  # mapped until the association ends. The receiver gives the bytes back with `returned` (wire.capnp).

  offset @2 :UInt64;
  size @3 :UInt64;
  # In bytes, inside the memory.
}

struct Handle @0xf0b3d7c25e814a69 (Object) {
  # A name for an object that lives in the session of one of the two sides. `Object` tells which kind, an
  # interface or a struct; it is checked when the name comes back. Of an interface, the object's methods
  # can be called.
  #
  # Generated code gives such a field `takeX()`, which gives an owner of the name, and `setX(handle)`. A
  # name lives until its maker takes it back, the other side has let go of every copy that it was sent
  # (`release` in wire.capnp), or the session ends; it is never reused.

  id @0 :UInt64;
  # 0 is "no object".

  receivers @1 :Bool;
  # True: an object of the side that receives this message. False: one of its sender.
}

# --- On an interface.

annotation version @0xc5d28e614fb03a97 (interface) :UInt32;
# Which version of the interface the schema describes; 0 if it is not given. Both sides tell each
# other in hello, so that "unknown method" can say which side is older.

# --- On a method.

annotation oneway @0xd7f61b0c92e5843d (method) :Void;
# The method has no reply: the caller learns only that the request was queued. Such a method has no
# results.

annotation stream @0xa93c5d08e7f1426b (method) :UInt16;
# The results come many times. The number is the window: how many may be on their way before the caller
# has read the first; at least 1.

annotation timeout @0x8b14f7ac3960de52 (method) :UInt32;
# The deadline of a call that sets none, in milliseconds; 0: none. Otherwise Limits::call_timeout, and none for
# a stream.

annotation blocking @0xf52e90b7d4168ac3 (method, interface) :Void;
# The handler may block: it runs on the server's thread pool (ServerOptions::threads) and not on the loop. On an
# interface: all of its methods.

# --- On a field, a parameter or a result. Checked by the sender before a message leaves and by the receiver
# before a handler or caller sees it; the error names the field.

annotation range @0xe6a3814d7c0b29f5 (field, param) :Range;
# Of an integer, or of each integer of a list: what it may be.

struct Range @0x9d0f62c1b85ae437 {
  min @0 :Int64 = -9223372036854775808;
  max @1 :Int64 = 9223372036854775807;
  # Both count as allowed. An UInt64 above the largest Int64 is in range if `max` is not given.
}

annotation length @0xc81d7e5f3a942b06 (field, param) :Length;
# Of a Text or Data in bytes, of a list in elements.

struct Length @0xb72954d8e0c6f13a {
  min @0 :UInt32;
  max @1 :UInt32 = 4294967295;
}

annotation required @0xd04fa9726b1ec583 (field, param) :Void;
# Of a pointer, an OsHandle or a Handle: not absent, and not "no handle". In a union, if it is what the union
# holds.

annotation known @0x93b6e81c2fd7504a (field, param) :Void;
# Of an enum, or of each of a list: one that the reader's schema has.

annotation bits @0xaf7215c6930de48b (field, param) :UInt64;
# Of an unsigned integer: only these bits may be set.

annotation fromSender @0xcb5608f3e1742d9a (field, param) :Void;
annotation fromReceiver @0x86d2ca4b7e5f3901 (field, param) :Void;
# Of a Handle, or of each of a list: whose object it names, as seen by this message.

annotation processHandle @0xe47d0b93f85a62c1 (field, param) :Void;
# Of an OsHandle, or of each of a list: it may be a Windows handle of a process, thread, access token or job,
# which gives power over a process. A message that has one in any other place is refused. Descriptors of Unix
# are not told apart.

annotation kind @0xbb0c64f7e5a31d28 (field, param) :HandleKind;
# Of an OsHandle, or of each of a list: what it must be and be open for, as the system says.

struct HandleKind @0x8e3f5ad2c9b10674 {
  file @0 :Bool;
  # A regular file, also a memfd. If none of these five is given, the kind does not matter.
  directory @1 :Bool;
  pipe @2 :Bool;
  socket @3 :Bool;
  device @4 :Bool;
  # Of characters or blocks. On Windows a file, a directory, a pipe and a device are not told apart: to ask
  # what one is can wait for whoever uses it.

  read @5 :Bool;
  write @6 :Bool;
  # Open for that. Of a descriptor that is only a path (O_PATH): neither.
}

annotation sensitive @0xf91e347a05c8bd62 (field, param) :Void;
# A secret: printed as "<sensitive>", kept out of archives unless they are asked to have it, and the memory
# of a message that can hold one is wiped when the message goes.
