@0xc9962f572f0f649a;
# Files of one machine for callers that the server checks itself, by the token of each.

using Cxx = import "/capnp/c++.capnp";
using Lwmsg = import "/lwmsg/lwmsg.capnp";
$Cxx.namespace("files");

interface FileServer $Lwmsg.version(1) {
  whoami @0 () -> (token :Text);
  # The caller, as the server's kernel reported it.

  open @1 (path :Text, access :Access) -> (file :Lwmsg.Handle(File));
  # For reading and writing through the server. The name ends with the connection.

  read @2 (file :Lwmsg.Handle(File), offset :UInt64, count :UInt32) -> (data :Data);
  # At most maxChunk bytes; empty at the end of the file.

  write @3 (file :Lwmsg.Handle(File), offset :UInt64, data :Data);
  # All of `data`, or an error.

  close @4 (file :Lwmsg.Handle(File));

  openDescriptor @5 (path :Text, access :Access) -> (file :Lwmsg.OsHandle);
  # The same check, but the caller gets the open file itself and does without the server.
}

const maxChunk :UInt32 = 262144;
# Well under the largest message that a peer takes, Limits::max_frame_bytes.

struct File {}
# What a Handle(File) names; only the server knows what is in it.

enum Access {
  read @0;
  write @1;
  # Makes the file, or empties the one that is there.
}
