# expect: 4: Broker.write returns a stream
@0x8f61c3b07ae5d924;
interface Broker {
  write @0 (bytes :Data) -> stream;
}
