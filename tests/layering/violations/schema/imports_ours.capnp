# schema/ must not include "/lwmsg/lwmsg.capnp"
@0xbb1f4d0c3f0f2a11;
using Lwmsg = import "/lwmsg/lwmsg.capnp";
