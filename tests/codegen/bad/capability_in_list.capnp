# expect: 9: Broker.open: params.objects is a capability of type Object, .* use Lwmsg.Handle\(Object\)
# expect: 12: Broker.get: results.object is a capability of type Object
@0xf3a1d5c2b7e98046;
using Lwmsg = import "/lwmsg/lwmsg.capnp";
interface Object { poke @0 (); }

interface Broker {
  open @0 (name :Text,
           objects :List(List(Object)));

  get @1 (name :Text) -> (
      object :Object);

  fine @2 (object :Lwmsg.Handle(Object));
}
