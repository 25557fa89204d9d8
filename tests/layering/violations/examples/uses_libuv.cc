// must not include <uv.h>
#include <uv.h>
