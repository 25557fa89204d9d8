@0x9d1c5e8b7f3a2046;
interface Broker @0xc0f4a7d2e6b81935 {
  open @0 (name :Text, flags :Int16 = 3) -> (color :Color, item :Item);
}
struct Item @0xe5b90d3c71f8a264 {
  text @0 :Text = "x";
  numbers @1 :List(UInt8) = [1, 2];
}
enum Color @0xa7e2c4f1086b9d53 { red @0; green @1; }
