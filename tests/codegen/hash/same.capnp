# As base.capnp, but with comments, a namespace, names for C++ and another order of declarations.
@0x9d1c5e8b7f3a2046;
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("other");
enum Color @0xa7e2c4f1086b9d53 { red @0; green @1; }
struct Item @0xe5b90d3c71f8a264 {
  numbers @1 :List(UInt8) = [1, 2];
  # Numbers.
  text @0 :Text = "x" $Cxx.name("label");
}
interface Broker @0xc0f4a7d2e6b81935 $Cxx.name("Dealer") {
  # Opens.
  open @0 (name :Text, flags :UInt16 = 3) -> (color :Color, item :Item);
}
struct Unused { a @0 :Text; }
