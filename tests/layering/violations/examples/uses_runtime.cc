// examples/ must not include "runtime/uv_loop.h"
#include "runtime/uv_loop.h"
