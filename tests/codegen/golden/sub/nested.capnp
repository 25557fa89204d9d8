# Interfaces inside of interfaces and structs, several in one file, params of an imported file, names that
# are too long for a line.
@0x8e5a7c03f1d9b624;

using Types = import "types.capnp";
using Lwmsg = import "/lwmsg/lwmsg.capnp";
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("sub::nested");

interface Outer {
  move @0 Types.Point -> Types.Point;

  interface Inner extends(Outer) {
    stop @0 () -> (where :Types.Point);

    interface Innermost { go @0 (); }
  }
}

struct Holder {
  size @0 :UInt16;

  interface Held { hold @0 (file :Lwmsg.OsHandle); }
}

struct RememberedConfigurationValue(Element) {
  element @0 :Element;
}

interface ConfigurationStore {
  # And with a doc comment in a line that is too long for the generated file, although it was not too long for the schema, or was it.

  interface OpenTransaction {
    replaceConfiguration @0 (configurationFile :Lwmsg.OsHandle) -> (earlierFile :Lwmsg.OsHandle);
    chooseConfiguration @1 Choice -> RememberedConfigurationValue(Types.Point);
    rememberedConfigurations @2 RememberedConfigurationValue(Lwmsg.OsHandle) -> RememberedConfigurationValue(List(Types.Point));
    struct Choice {
      union {
        alreadyOpenConfigurationFile @0 :Lwmsg.OsHandle;
        other @1 :Lwmsg.OsHandle;
      }
    }
  }
}
