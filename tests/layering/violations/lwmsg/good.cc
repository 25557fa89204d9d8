// fine
#include <kj/array.h>
#include <schema/wire.capnp.h>
#include <tl/expected.hpp>
#include <vector>
#include "lwmsg/status.h"
