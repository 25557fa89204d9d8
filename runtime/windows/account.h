#pragma once

#include <string>

#include "lwmsg/status.h"
#include "runtime/sid.h"

namespace lwmsg::internal {

// The text of the system's binary `sid` (PSID); empty if it is invalid.
std::string SidText(void* sid);

// Of this machine and process; read once.
const AccountDomains& LocalAccountDomains();

// The SID of an account that is given by name ("HOST\name" too), SID or Cygwin's number. `kind` is
// for the error, "user" or "group". A name may be looked up at a domain's controller, which takes
// time. Error: kNotFound.
Result<std::string> FindAccount(const std::string& kind, const std::string& name);

}  // namespace lwmsg::internal
