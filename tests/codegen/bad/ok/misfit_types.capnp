@0xd8137c5e60f2b94a;
using Lwmsg = import "/lwmsg/lwmsg.capnp";
struct Item {
  text @0 :Text $Lwmsg.range(max = 5);
}
