# expect: 1: namespace company::lwmsg hides ::lwmsg from the generated code
@0xdc39a7f160e5b824;
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("company::lwmsg");
interface Broker {}
