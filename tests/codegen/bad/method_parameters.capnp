# expect: 4: Broker.get has type parameters of its own
@0xb72c0e5d8f94a163;
interface Broker {
  get @0 [T] (name :T) -> (value :T);
}
