# expect: 7: Callback.call: params.wrap.callback is a capability of type Callback
@0x95d3f0a8c6e1b742;
interface Callback {
  call @0 (wrap :Wrap);
}
struct Wrap {
  callback @0 :Callback;
}
