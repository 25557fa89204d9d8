@0x8ad6c9f31e50b247;
using Base = import "indirect_base.capnp";
using Alias = Base.Base;
