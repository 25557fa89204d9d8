#pragma once

#include <string>

#include "tests/faults/report.h"

namespace faults {

// What a client does, from hello to goodbye: calls of each kind, descriptors, streams, objects,
// shared memory, errors, a close and a new connection. Each call is counted when it starts and when
// it ends; what a reply brings is compared.
//
// kBlocking: one call after the other, with a BlockingClient. kCallbacks: many at a time, on a
// loop.
enum class Session : uint8_t { kBlocking, kCallbacks };

void RunSession(Session session, const std::string& endpoint, Report& report);

// The first call of the next client, who has no faults. False: it was not served.
bool IsServed(const std::string& endpoint, Report& report);

// Calls for as long as the process lives; returns when one fails.
void CallForEver(const std::string& endpoint, Report& report);

}  // namespace faults
