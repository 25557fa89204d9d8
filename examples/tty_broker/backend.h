#pragma once

#include <lwmsg/lwmsg.h>
#include <sys/types.h>

#include <string>

// The privileged half: opens terminals for the one user `caller`, over the pair that this process
// was started with. Returns when the front end is gone.
lwmsg::Status RunBackend(uid_t caller);
