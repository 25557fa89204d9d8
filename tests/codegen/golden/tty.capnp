# The protocol of the README: what most schemas look like.
@0xd8b1a3f27c5e4961;

using Lwmsg = import "/lwmsg/lwmsg.capnp";
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("tty");

interface TtyBroker $Lwmsg.version(1) {
  # Opens serial ports for callers that may not.

  open @0 (name :Text) -> (tty :Lwmsg.OsHandle);
  # Opens one.
  #
  # The port is locked for as long as it is open.

  log @1 (text :Text) $Lwmsg.oneway;
  give @2 (tty :Lwmsg.OsHandle, log :Lwmsg.OsHandle);
  ping @3 () -> ();
}
