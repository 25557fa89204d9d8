# expect: 4: Both extends Base of .*indirect_base.capnp, which this file does not import
@0xe7f1b04d96ca3582;
using Middle = import "ok/indirect_middle.capnp";
interface Both extends(Middle.Alias) {}
