# No interfaces: the generated files hold nothing but includes.
@0x9b8f4e1ad62c7035;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("sub");

struct Point {
  x @0 :Int32;
  y @1 :Int32;
}
