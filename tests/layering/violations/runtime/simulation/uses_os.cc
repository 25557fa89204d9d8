// runtime/simulation/ must not include <unistd.h>
#include <unistd.h>

#include "runtime/frame_stream.h"
#include "runtime/simulation/world.h"
