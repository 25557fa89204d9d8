# expect: 11: Broker.open: params.options.inner.callback is a capability of type Broker
# expect: 14: Broker.open: params.options.either.other is a Capability
@0xc19b6e72d05fa384;
interface Broker {
  open @0 (options :Options);

  struct Options {
    # callback :Broker in a comment, and "callback :Broker" in a string, are not it.
    text @0 :Text = "struct Inner { callback @0 :Broker; }";
    inner :group {
      callback @1 :Broker;
    }
    union { either :group {
      other @2 :Capability;
      none @3 :Void;
    } nothing @4 :Void; }
  }
}
