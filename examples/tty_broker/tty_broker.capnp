@0x979ac3a3141fc1e2;
using Cxx = import "/capnp/c++.capnp";
using Lwmsg = import "/lwmsg/lwmsg.capnp";
$Cxx.namespace("tty");

interface TtyBroker $Lwmsg.version(1) {
  open @0 (name :Text) -> (tty :Lwmsg.OsHandle);
  # A terminal by its name below /dev, such as "ttyS0", "ttyUSB0" or "pts/3", open for reading and
  # writing, not blocking, and locked (flock(2)). The lock belongs to the open file, not to a
  # process: it ends when its last holder closes it, wherever that is.
}
