// examples/ must not include <lwmsg/internal/link.h>
#include <lwmsg/internal/link.h>
