@0xe6b1d40a92c7f358;
using Lwmsg = import "/lwmsg/lwmsg.capnp";

interface Hello {
  greet @0 (name :Text) -> (text :Text, file :Lwmsg.OsHandle);
}
