# Interfaces that extend others: of another file, of this one, several, in a diamond, and one that only
# follows further down.
@0xc47e9a20d3b8f156;

using Base = import "base.capnp";
using Lwmsg = import "/lwmsg/lwmsg.capnp";
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("inherit");

interface Reader extends(Base.Node) {
  # Reads.

  read @0 Base.Range -> (bytes :Data);
}

interface Writer extends(Base.Node) {
  write @0 (offset :UInt64, bytes :Data);
  # Writes.
  sync @1 () $Lwmsg.oneway;
}

interface File extends(Reader, Writer, Base.Marker) $Lwmsg.version(2) {
  # Reads and writes.

  lock @0 (owner :Lwmsg.OsHandle) -> (guard :Lwmsg.OsHandle);
}

interface Alias extends(File) {}
