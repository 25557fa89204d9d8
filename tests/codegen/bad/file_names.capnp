# expect: 8: interface OuterInner and interface Outer.Inner would both make the C\+\+ name kOuterInnerProtocol
# expect: 9: interface Log and LogService would both make the C\+\+ name LogService
@0x9ac0e4f7d2b58361;
using Lwmsg = import "/lwmsg/lwmsg.capnp";
interface Outer {
  interface Inner {}
}
interface OuterInner {}
interface Log {}
struct LogService {}
interface Some { thing @0 (file :Lwmsg.OsHandle); thin @1 (); }
struct SomeThingParams {}
# expect: 11: method Some.thing and SomeThingParams would both make the C\+\+ name SomeThingParams
