# expect: 5: \$Lwmsg.version is given more than once
# expect: 6: \$Lwmsg.oneway is given more than once
@0xe8d2a60b5f3c7914;
using Lwmsg = import "/lwmsg/lwmsg.capnp";
interface Broker $Lwmsg.version(1) $Lwmsg.version(2) {
  log @0 () $Lwmsg.oneway $Lwmsg.oneway;
}
