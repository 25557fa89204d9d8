// must not include <schema/wire.capnp.h>
#include <schema/wire.capnp.h>
