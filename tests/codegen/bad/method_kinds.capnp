# expect: 10: Broker.both is both \$Lwmsg.oneway and \$Lwmsg.stream.*keep one
# expect: 11: Broker.none is a stream with a window of 0.*give at least 1
# expect: 12: Broker.hurried is \$Lwmsg.oneway, so nobody waits.*remove \$Lwmsg.timeout
# expect: 13: Broker.slow blocks, but only a method with one reply may
# expect: 14: Broker.flow blocks, but only a method with one reply may
# expect: 15: \$Lwmsg.timeout is given more than once
@0xd24b7e90c1f6853a;
using Lwmsg = import "/lwmsg/lwmsg.capnp";
interface Broker {
  both @0 () $Lwmsg.oneway $Lwmsg.stream(1);
  none @1 () -> () $Lwmsg.stream(0);
  hurried @2 () $Lwmsg.oneway $Lwmsg.timeout(5);
  slow @3 () $Lwmsg.oneway $Lwmsg.blocking;
  flow @4 () -> () $Lwmsg.stream(1) $Lwmsg.blocking;
  again @5 () $Lwmsg.timeout(5) $Lwmsg.timeout(6);
}
