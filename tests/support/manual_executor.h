#pragma once

#include "lwmsg/fuzz/manual_executor.h"

namespace lwmsg::test {

using fuzz::ManualExecutor;

}  // namespace lwmsg::test
