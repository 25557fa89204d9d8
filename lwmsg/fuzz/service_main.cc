// What libFuzzer calls (llvm.org/docs/LibFuzzer.html) in a program with a MakeService.
#include "lwmsg/fuzz/service.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  lwmsg::fuzz::TestMadeService({data, size});
  return 0;
}
