#include "../null_file.h"

#include <fcntl.h>

lwmsg::OsHandle NullFile() { return lwmsg::OsHandle(open("/dev/null", O_RDONLY | O_CLOEXEC)); }
