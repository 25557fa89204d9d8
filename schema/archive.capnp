@0xc7d1a90be53f6248;
# The file format of archives (lwmsg/archive.h): messages of protocols, with the schema that they follow.
#
# A file is a row of blocks without gaps. A block is 16 bytes of header, little-endian, and one Cap'n Proto
# stream message (segment table and segments) whose root is `Block`:
#
#   offset 0   4 bytes   magic: 'L' 'W' 'A' and the format version, 1
#   offset 4   4 bytes   size of the message in 8-byte words, at least 1
#   offset 8   4 bytes   CRC-32C of the message
#   offset 12  4 bytes   CRC-32C of the 12 bytes before
#
# The first block is a `header`, and no other. A new file gets its name only when it is whole, so every file
# has an `end`; records behind the last one were appended by a writer that has not finished. What is left of
# an append that broke off - less than a block, or nothing but zeros - is cut off by the next
# appender. Anything else that is not as described here is damage.

using Cxx = import "/capnp/c++.capnp";
using Schema = import "/capnp/schema.capnp";
$Cxx.namespace("lwmsg::archive");

struct Block @0xd6a8f3150c7be924 {
  union {
    header @0 :Header;
    record @1 :Record;
    end @2 :UInt64;
    # How many records stand before this in the file.
  }
}

struct Header @0x9be27c40d3f1a865 {
  interfaces @0 :List(Interface);
  # Those that records may belong to, with all that they extend.
  nodes @1 :List(Schema.Node);
  # The interfaces and all that they reach.
}

struct Interface @0xe41fb7236a90cd58 {
  id @0 :UInt64;
  version @1 :UInt32;
  # `$Lwmsg.version` of the schema.
}

struct Record @0xa35c98d1e702f46b {
  interfaceId @0 :UInt64;
  # One of the header's.
  method @1 :UInt16;
  # The method's ordinal; one that the header's schema has.
  reply @2 :Bool;
  # The message is the method's results, not its params.
  droppedHandles @3 :UInt32;
  # How many OS handles the message had. A file holds none: each OsHandle in the message is "no handle".
  timeMicros @4 :Int64;
  # When it was written, in microseconds since 1970-01-01 UTC.
  message @5 :AnyPointer;
  # Params or results. Fields that are `$Lwmsg.sensitive` are left out unless the writer was told to keep
  # them.
}
