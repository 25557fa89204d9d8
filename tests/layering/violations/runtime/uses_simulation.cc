// runtime/ must not include "runtime/simulation/world.h"
#include "runtime/simulation/world.h"
