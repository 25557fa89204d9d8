# expect: 6: Broker.log is \$Lwmsg.oneway, so nobody gets its results
# expect: 7: Broker.tell is \$Lwmsg.oneway, so nobody gets its results
@0xca5e07f2846d9b13;
using Lwmsg = import "/lwmsg/lwmsg.capnp";
interface Broker {
  log @0 (text :Text) -> (count :UInt32) $Lwmsg.oneway;
  tell @1 (text :Text) -> Nothing $Lwmsg.oneway;
  fine @2 (text :Text) $Lwmsg.oneway;
  also @3 (text :Text) -> () $Lwmsg.oneway;
  struct Nothing {}
}
