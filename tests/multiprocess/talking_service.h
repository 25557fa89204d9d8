#pragma once

#include "tests/multiprocess/roles.h"
#include "tests/support/sample_service.h"

namespace lwmsg::test {

// A service that says what happens to the calls of keep.
struct TalkingService {
  TalkingService() {
    service.on_keep = [this] {
      service.kept.back().OnCancel([] { Say("cancelled"); });
      Say("kept");
    };
  }
  SampleService service;
};

}  // namespace lwmsg::test
