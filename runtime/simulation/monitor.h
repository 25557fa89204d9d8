#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace lwmsg::internal {

// The two ends of a connection.
enum Side : size_t { kClientSide, kServerSide };
constexpr Side OtherSide(Side side) { return side == kClientSide ? kServerSide : kClientSide; }

// Reads along what both sides of a connection send, and knows what schema/wire.capnp allows.
class Monitor {
 public:
  // `side` sent these bytes behind those before. What is wrong with that; empty if nothing is.
  std::string Sent(Side side, std::string_view bytes);
  // Whether it has said hello.
  bool greeted(Side side) const { return ends_[side].greeted; }
  // The first call of `side` that has no answer, of which nobody at `side` waits for one, and that
  // was not cancelled; 0 if there is none.
  uint32_t FirstForgotten(Side side, const std::set<uint32_t>& waited_for) const;

 private:
  struct Call {
    uint32_t credit;
    uint32_t items = 0;
    bool cancelled = false;
  };
  struct End {
    std::string unread;
    bool greeted = false;
    bool ended = false;
    // Its calls that the other has not answered.
    std::map<uint32_t, Call> calls;
  };

  // What is wrong with them; empty if nothing is.
  std::string Frame(Side side, std::string_view body);
  static std::string Reply(End& caller, uint32_t id, bool good, uint32_t items);
  static std::string Item(End& caller, uint32_t id);

  std::array<End, 2> ends_;
};

}  // namespace lwmsg::internal
