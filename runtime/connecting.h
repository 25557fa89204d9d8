#pragma once

#include <memory>
#include <string_view>

#include "lwmsg/client.h"
#include "runtime/io_loop.h"

// What Client and BlockingClient share: the association of a connecting side.
namespace lwmsg::internal {

// Connects to `endpoint` when it is first used. What is wrong with it is the error of the first
// call.
std::unique_ptr<Association> MakeConnecting(IoLoop& loop, std::string_view endpoint,
                                            const ServiceTable& services, ClientOptions options,
                                            UniqueFunction<void(bool may_wait)> run_once);
// Speaks over a connected `socket`.
std::unique_ptr<Association> MakeConnecting(IoLoop& loop, OsHandle socket,
                                            const ServiceTable& services, ClientOptions options,
                                            UniqueFunction<void(bool may_wait)> run_once);

}  // namespace lwmsg::internal
