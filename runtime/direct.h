#pragma once

#include <memory>
#include <string>

#include "lwmsg/limits.h"
#include "lwmsg/transport.h"
#include "runtime/io_loop.h"
#include "runtime/platform.h"

// The connection mode DIRECT: both ends in this process, each on its own loop and thread, or both
// on one. Whole messages pass from loop to loop; OS handles move.
namespace lwmsg::internal {

// Takes the peers that connect to `name`, on `loop`. `limits` are those of the server's ends.
// Error: kAlreadyExists if the name is taken.
using DirectAcceptCallback = UniqueFunction<void(std::unique_ptr<Transport>)>;
Result<std::unique_ptr<Listener>> ListenDirect(IoLoop& loop, const std::string& name,
                                               const Limits& limits, DirectAcceptCallback accepted);

// Error: kUnavailable if nobody in this process listens under that name.
Result<std::unique_ptr<Transport>> ConnectDirect(IoLoop& loop, const std::string& name,
                                                 const Limits& limits);

}  // namespace lwmsg::internal
