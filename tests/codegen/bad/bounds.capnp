# expect: 16: Item.swapped: \$Lwmsg.range has a min of 5 above its max of 3. swap them
# expect: 17: Item.small: \$Lwmsg.range has the bound 256, which UInt8 cannot hold. choose one from 0 to 255
# expect: 18: Item.negative: \$Lwmsg.range has the bound -1, which UInt64 cannot hold. choose one from 0 to
# expect: 19: Item.list: \$Lwmsg.range has the bound -32769, which Int16 cannot hold. choose one from -32768 to 32767
# expect: 20: Item.text: \$Lwmsg.length has a min of 9 above its max of 8. swap them
# expect: 21: Item.flags: \$Lwmsg.bits has bits beyond the 8 of UInt8
# expect: 22: Item.twice: \$Lwmsg.range is given more than once. keep one
# expect: 23: Item.named: \$Lwmsg.length refuses the field's own default of 3 bytes
# expect: 24: Item.speed: \$Lwmsg.range refuses the field's own default -7
# expect: 25: Item.mask: \$Lwmsg.bits refuses the field's own default 4
# expect: 26: Item.must: \$Lwmsg.required on a field that has a default
# expect: 27: Item.secret: \$Lwmsg.sensitive is given more than once
@0xe6b02d9c4f71a835;
using Lwmsg = import "/lwmsg/lwmsg.capnp";
struct Item {
  swapped @0 :UInt32 $Lwmsg.range(min = 5, max = 3);
  small @1 :UInt8 $Lwmsg.range(min = 0, max = 256);
  negative @2 :UInt64 $Lwmsg.range(min = -1);
  list @3 :List(Int16) $Lwmsg.range(min = -32769);
  text @4 :Text $Lwmsg.length(min = 9, max = 8);
  flags @5 :UInt8 $Lwmsg.bits(0x1ff);
  twice @6 :UInt8 $Lwmsg.range(max = 5) $Lwmsg.range(max = 6);
  named @7 :Text = "abc" $Lwmsg.length(max = 2);
  speed @8 :Int32 = -7 $Lwmsg.range(min = 0);
  mask @9 :UInt8 = 4 $Lwmsg.bits(3);
  must @10 :Text = "x" $Lwmsg.required;
  secret @11 :Text $Lwmsg.sensitive $Lwmsg.sensitive;
  # What is as wide as its type is fine.
  whole @12 :UInt64 = 18446744073709551615 $Lwmsg.range(min = 0) $Lwmsg.bits(0xffffffffffffffff);
  narrow @13 :Int8 = -128 $Lwmsg.range(min = -128, max = 127);
}
