# expect: 8: Broker.put: params.value is a capability of type Broker
# expect: 12: Broker.take: results.box.value is a capability of type Broker
@0xa28f4c6d91e7b053;
struct Box(T) {
  value @0 :T;
}
interface Broker {
  put @0 Box(Broker) -> ();
  take @1 () -> Shelf;
}
struct Shelf {
  box @0 :Box(List(Broker));
}
