@0xe51d7a90b3c2f648;
# A service whose handlers do not look after what they get.

using Lwmsg = import "/lwmsg/lwmsg.capnp";
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("careless");

interface Careless {
  ignore @0 (first :Lwmsg.OsHandle, second :Lwmsg.OsHandle) -> ();
  # Answers, and leaves them where they are.
  fail @1 (first :Lwmsg.OsHandle, second :Lwmsg.OsHandle) -> ();
  # Takes one, and throws.
  keep @2 (first :Lwmsg.OsHandle, second :Lwmsg.OsHandle) -> ();
  # Takes one, and keeps the call until it is cancelled.
}
