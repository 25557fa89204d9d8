// runtime/posix/ must not include <runtime/windows/pipe.h>
#include <runtime/windows/pipe.h>
