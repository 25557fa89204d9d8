// lwmsg/ must not include <unistd.h>
#include <unistd.h>
