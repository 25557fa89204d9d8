// fine
#include <lwmsg/lwmsg.h>
#include <unistd.h>
#include "app.lwmsg.h"
