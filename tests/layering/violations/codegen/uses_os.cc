// codegen/ must not include <sys/stat.h>
#  include <sys/stat.h>  // indented
