# expect: 5: Broker.open: params.tty has a default, but an OS handle has none
@0xd9c4e1b7a3056f28;
using Lwmsg = import "/lwmsg/lwmsg.capnp";
interface Broker {
  open @0 (tty :Lwmsg.OsHandle = (slot = 1));
}
