#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "lwmsg/service.h"

// A fuzzer for a service (lwmsg_fuzz_target in CMake): it makes calls up by the interface's schema,
// mostly within its annotations, with open files for OsHandle fields, and what only a broken or
// hostile peer sends: changed bytes, cancels, names of objects, hang-ups.
namespace lwmsg::fuzz {

// Written by the user of the library: the service as each run of the fuzzer finds it, in the same
// state. It is destroyed at the end of the run, and must then have closed what it opened. Its
// `$Lwmsg.blocking` methods run on the one thread, as everything; time passes only when the peer
// lets it. It cannot use a Loop.
std::unique_ptr<Service> MakeService();

// One run: `bytes` say what the peer does to `service`. Ends the program, with a line that says
// why, if a call is answered twice or lwmsg breaks its protocol.
void TestService(Service& service, std::span<const uint8_t> bytes);

// One run of MakeService's: as TestService, and open files that are left end the program too.
void TestMadeService(std::span<const uint8_t> bytes);

}  // namespace lwmsg::fuzz
