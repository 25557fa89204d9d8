// runtime/ must not include <sys/socket.h>
#include <sys/socket.h>
