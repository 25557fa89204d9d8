@0xc9962f572f0f649a;
# Files of one machine for callers that the server checks itself, by the token of each.

using Cxx = import "/capnp/c++.capnp";
using Lwmsg = import "/lwmsg/lwmsg.capnp";
$Cxx.namespace("files");

interface FileServer $Lwmsg.version(1) {
  whoami @0 () -> (token :Text);
  # The caller, as the server's kernel reported it.

  open @1 (path :Text, access :Access) -> (file :Lwmsg.Handle(File));
  # For reading and writing through the server. The file is closed when the caller lets go of it.

  openDescriptor @2 (path :Text, access :Access) -> (file :Lwmsg.OsHandle);
  # The same check, but the caller gets the open file itself and does without the server.
}

const maxChunk :UInt32 = 262144;
# Well under the largest message that a peer takes, Limits::max_frame_bytes.

interface File {
  # An open file of the server.

  read @0 (offset :UInt64, count :UInt32 $Lwmsg.range((max = .maxChunk))) -> (data :Data);
  # Empty at the end of the file.

  write @1 (offset :UInt64, data :Data $Lwmsg.length((max = .maxChunk)));
  # All of `data`, or an error.
}

enum Access {
  read @0;
  write @1;
  # Makes the file, or empties the one that is there.
}
