@0x9c3f6a51e07db284;
# The protocol between two lwmsg peers. This file is its document: what stands on a field here is the
# rule that both sides keep.
#
# A frame is 16 bytes of header, little-endian, and one Cap'n Proto stream message (segment table and
# segments) whose root is `Envelope`:
#
#   offset 0   4 bytes   magic: 'L' 'W' 'M' and the layout version, 1
#   offset 4   4 bytes   size of the message in 8-byte words, at least 1
#   offset 8   2 bytes   number of OS handles that belong to this frame
#   offset 10  6 bytes   zero
#
# A sender puts OS handles on the first byte of the frame that counts them, and no other frame behind them
# in the same write. A receiver keeps them in the order in which they arrive and gives each frame its
# count by the frame's last byte; too few, too many, some that are read after the frame has begun, or
# truncated ends the association.
#
# Broken framing, and whatever is marked "ends the association" below, is answered with `goodbye`, and
# then the connection is closed. Anything else that is wrong fails one call.

using Cxx = import "/capnp/c++.capnp";
using Schema = import "/capnp/schema.capnp";
$Cxx.namespace("lwmsg::wire");

struct Envelope @0x8f5d13e2a9b7c640 {
  union {
    hello @0 :Hello;
    # The first frame of each side, and only the first. The side that connected sends it at once and
    # may send calls behind it without waiting; the side that was connected to sends it when it has
    # read the other's. Another frame before it, or a second one, ends the association.

    call :group {
      # A request. Requests of one association are dispatched in the order in which they were sent.

      id @1 :UInt32;
      # Chosen by the caller, for its direction of this association. In use until the reply has
      # arrived, also when the call was cancelled or timed out meanwhile. A call with an id that is in
      # use ends the association. One-way calls have id 0, and no other call has.

      interfaceId @2 :UInt64;
      # The Cap'n Proto id of the interface. Unknown: the reply is `unimplemented`.

      method @3 :UInt16;
      # The method's ordinal. Unknown: the reply is `unimplemented`.

      timeoutMicros @4 :UInt64;
      # How long the caller still waits, measured when the frame was made; 0 is "no deadline". When it
      # is over the callee's handler is told, as if by `cancel`.

      params @5 :AnyPointer;

      object @12 :UInt64;
      # The object of the callee's session that is called, a Handle's id; 0: what the callee serves to
      # everybody. Not there any more, or of another kind: the reply is `invalidHandle`.

      schemaHash @13 :UInt64;
      # Of the interface, as ProtocolInfo.schemaHash. If the callee's differs, it may ask for the caller's
      # schema (`describe`) before it dispatches the call.

      credit @14 :UInt32;
      # Of a stream: how many items the callee may send before more `credit` comes; at least 1. Of
      # another method 0.
    }

    reply :group {
      # Answers one call. Each call but a one-way call gets exactly one, in any order. A reply to no
      # call ends the association.

      id @6 :UInt32;

      status @7 :UInt16;
      # A number of lwmsg::StatusCode; 0 is success. A number that the receiver does not know counts
      # as `internal`.

      message @8 :Text;
      # For a status other than 0: what was wrong, for a person.

      results @9 :AnyPointer;
      # For status 0. Of a stream: nothing; the reply ends it.

      items @24 :UInt32;
      # Of a stream, for status 0: how many items were sent before this, modulo 2^32. If others came, some could
      # not be sent (their OS handles could not), and the stream ends with an error.
    }

    item :group {
      # One of the results of a stream, in order, before the stream's reply. More of them than the caller
      # gave credit for end the association.

      id @15 :UInt32;
      results @16 :AnyPointer;
    }

    credit :group {
      # The caller of a stream has taken items in and allows as many more. An id that is not in use is
      # ignored. Credit of more than 65535 in all ends the association.

      id @17 :UInt32;
      items @18 :UInt32;
    }

    release :group {
      # The sender of this let go of `count` copies of a name (`Handle` in lwmsg.capnp) that it was sent. Each
      # message with the name brings one copy for each place that it stands in. When no copy is left the
      # name ends. Of more copies than were sent: ends the association. A name that has ended: ignored.

      object @19 :UInt64;
      count @20 :UInt32;
    }

    returned :group {
      # The sender of this has done with bytes of a pool of the receiver (lwmsg.capnp, SharedMemory): once for
      # each place of a message that named them. Bytes that are not lent end the association.

      pool @25 :UInt64;
      offset @26 :UInt64;
    }

    describe @21 :UInt64;
    # Asks for the schema of the interface with this id, of which the receiver of this has sent a call.

    description :group {
      # The answer to `describe`. Another one ends the association.

      interfaceId @22 :UInt64;
      nodes @23 :List(Schema.Node);
      # The interface, and all that it reaches. Empty if it is not known.
    }

    cancel :group {
      # The caller no longer wants the reply. The callee still sends one, which may be a success.
      # An id that is not in use is ignored: the reply may have crossed this frame.

      id @10 :UInt32;
    }

    goodbye @11 :Goodbye;
    # The last frame of a side. What it has queued before still counts.
  }
}

struct Hello @0xa61c80d94f2be735 {
  features @0 :UInt64;
  # Bit set of what the sender understands beyond this document; both sides use the intersection.
  # No bit is assigned yet: send 0, ignore what you do not know.

  maxFrameBytes @1 :UInt32;
  # The largest message, without the header, that the sender of this hello takes. A larger one ends
  # the association, so the other side refuses to send it.

  maxFrameHandles @2 :UInt16;
  # Likewise for OS handles in a frame.

  maxCalls @3 :UInt32;
  # How many calls the sender of this hello has in hand for one peer. Calls beyond are answered with
  # `resourceExhausted`.

  protocols @4 :List(ProtocolInfo);
  # What the sender serves on this association. A list, not a promise that no other call comes.

  sessionKey @5 :Data;
  # From the side that connected: 16 random bytes. Associations of one process that say the same key are in
  # one session. Another process that says it is refused.

  sessionId @6 :UInt64;
  # From the side that was connected to: which session this is. Another one than the last time, for the
  # same key: the session was lost, and all names with it.
}

struct ProtocolInfo @0xbd47f3610e95c28a {
  interfaceId @0 :UInt64;
  version @1 :UInt32;
  # `$Lwmsg.version` of the schema.
  schemaHash @2 :UInt64;
  # Equal if both sides were built from the same definition of the interface. Different hashes may
  # still be compatible, as Cap'n Proto schemas evolve: see `describe`.
}

struct Goodbye @0xce9b02a47f1d6835 {
  status @0 :UInt16;
  # Why the sender ends the association, a number of lwmsg::StatusCode; 0 is "finished".
  message @1 :Text;
}
