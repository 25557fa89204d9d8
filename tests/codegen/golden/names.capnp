# Names that are words of C++, or that the generated code uses itself. No namespace.
@0xb5f0c2d19e7a3846;

using Lwmsg = import "/lwmsg/lwmsg.capnp";
using Cxx = import "/capnp/c++.capnp";

interface Words {
  delete @0 (class :Lwmsg.OsHandle, operator :Text) -> (new :Lwmsg.OsHandle, this :Text);
  new @1 ();
  class @2 () -> (union :Int32);
  operator @3 ();
  dispatch @4 (dispatch :Lwmsg.OsHandle);
  protocol @5 ();
  call @6 (call :Text);
  client @7 ();
  service @8 ();
  request @9 () -> (request :Text);
  channel @10 () -> (handles :Lwmsg.OsHandle, schema :Lwmsg.OsHandle, reader :Text);
  wordsProtocol @11 ();
  reply @12 ();
  struct @13 (struct :Text, interface :Lwmsg.OsHandle);
  interface @14 ();
  union @15 ();
  renamed @16 (old :Lwmsg.OsHandle $Cxx.name("fresh")) $Cxx.name("altered");
}

interface Renamed $Cxx.name("Other") {
  useIt @0 Arguments -> ();
  struct Arguments $Cxx.name("OtherArguments") { file @0 :Lwmsg.OsHandle; }
}

interface Call { call @0 (); }
interface Service { service @0 (); }
interface Dispatch {}
