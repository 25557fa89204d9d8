#pragma once

#include <reliability.lwmsg.h>

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "lwmsg/lwmsg.h"

namespace lwmsg::test {

// Serves Work as its schema says, on one loop.
class WorkService final : public reliability::WorkService {
 public:
  void Count(CountCall call) override;
  void Keep(KeepCall call) override;
  void Note(NoteCall call) override;
  void Blob(BlobCall call) override;
  void Take(TakeCall call) override;
  void Whoami(WhoamiCall call) override;

 private:
  struct Counted {
    uint64_t last = 0;
    uint64_t strange = 0;
  };
  std::unordered_map<uint32_t, Counted> counted_;
  std::vector<KeepCall> kept_;
  std::vector<NoteCall> notes_;
};

}  // namespace lwmsg::test
