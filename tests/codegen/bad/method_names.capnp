# expect: 6: method Broker.openCall and method Broker.open would both make the C\+\+ name OpenCall in BrokerService
# expect: 8: method Broker.openRequest and method Broker.open would both make the C\+\+ name OpenRequest in BrokerClient
@0xf40ad8c5b1e73692;
interface Broker {
  open @0 ();
  openCall @1 ();
  brokerService @2 ();
  openRequest @3 ();
  brokerClient @4 ();
}
# expect: 7: method Broker.brokerService and the class itself would both make the C\+\+ name BrokerService
# expect: 9: method Broker.brokerClient and the class itself would both make the C\+\+ name BrokerClient
