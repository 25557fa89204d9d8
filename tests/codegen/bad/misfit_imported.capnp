# expect: 5: Item.text: \$Lwmsg.range is for integers
@0xa50e7d3c9b1f6284;
using Types = import "ok/misfit_types.capnp";
interface Broker {
  put @0 (item :Types.Item) -> ();
}
