# expect: 22: Item.text: \$Lwmsg.range is for integers and lists of them. remove it
# expect: 23: Item.number: \$Lwmsg.length is for Text, Data and lists. remove it
# expect: 24: Item.small: \$Lwmsg.required is for pointers
# expect: 25: Item.word: \$Lwmsg.known is for enums and lists of them. remove it
# expect: 26: Item.signed: \$Lwmsg.bits is for unsigned integers and lists of them. remove it
# expect: 27: Item.item: \$Lwmsg.fromSender is for Lwmsg.Handle fields and lists of them. remove it
# expect: 27: Item.item: \$Lwmsg.kind is for Lwmsg.OsHandle fields and lists of them. remove it
# expect: 27: Item.item: \$Lwmsg.processHandle is for Lwmsg.OsHandle fields and lists of them. remove it
# expect: 28: Item.open: \$Lwmsg.fromReceiver is for Lwmsg.Handle fields
# expect: 28: Item.open: \$Lwmsg.kind demands nothing. name a kind, read or write, or remove it
# expect: 29: Item.both: \$Lwmsg.fromSender and \$Lwmsg.fromReceiver leave nothing that fits. keep one
# expect: 30: Item.deep: \$Lwmsg.range is for integers and lists of them. remove it
# expect: 32: Item.inner.choice: \$Lwmsg.range is for integers
# expect: 36: Box.value: \$Lwmsg.length is for Text, Data and lists. remove it
# expect: 40: Broker.open: params.speed: \$Lwmsg.bits is for unsigned integers
# expect: 41: Broker.open: results.real: \$Lwmsg.range is for integers
# expect: 42: Broker.give: params.broker is a capability of type Broker
# expect: 42: Broker.give: params.broker: \$Lwmsg.required is for pointers
@0xf1c35b7e9d20a846;
using Lwmsg = import "/lwmsg/lwmsg.capnp";
struct Item {
  text @0 :Text $Lwmsg.range(max = 5);
  number @1 :UInt32 $Lwmsg.length(max = 5);
  small @2 :UInt8 $Lwmsg.required;
  word @3 :UInt16 $Lwmsg.known;
  signed @4 :Int32 $Lwmsg.bits(1);
  item @5 :Item $Lwmsg.fromSender $Lwmsg.processHandle $Lwmsg.kind(file = true);
  open @6 :Lwmsg.OsHandle $Lwmsg.fromReceiver $Lwmsg.kind(read = false);
  both @7 :Lwmsg.Handle(Item) $Lwmsg.fromSender $Lwmsg.fromReceiver;
  deep @8 :List(List(UInt8)) $Lwmsg.range(max = 5);
  inner :group {
    choice @9 :Bool $Lwmsg.range(max = 1);
  }
}
struct Box(T) {
  value @0 :T $Lwmsg.length(max = 9);
}
interface Broker {
  open @0 (
      speed :Int8 $Lwmsg.bits(3)) -> (
      real :Float64 $Lwmsg.range(max = 5));
  give @1 (broker :Broker $Lwmsg.required) -> ();
}
