#include "tests/runtime/freed_memory.h"

#include <malloc.h>

// The linker puts it in place of the C library's (--wrap=free in CMakeLists.txt), also for the
// libraries that are linked in; operator delete comes here too.
// NOLINTBEGIN(bugprone-reserved-identifier): the linker's names.
extern "C" void __real_free(void* block);
extern "C" void __wrap_free(void* block) {
  if (block != nullptr) lwmsg::test::OnFree(block, _msize(block));
  __real_free(block);
}
// NOLINTEND(bugprone-reserved-identifier)
