#pragma once

#include <lwmsg/os_handle.h>

// The file that is always empty.
lwmsg::OsHandle NullFile();
