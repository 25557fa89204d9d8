# expect: 7: Broker.open: params.wrap.callback is a capability of type Callback
@0xe04b9d71f8a6c235;
using Imported = import "imported.capnp";
interface Broker {
  # The field is in a file that nobody asked to compile now, so the method is to blame.

  open @0 (wrap :Imported.Wrap);
}
