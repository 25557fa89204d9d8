#pragma once

#include <string>
#include <vector>

#include "lwmsg/lwmsg.h"

namespace lwmsg::test {

// One new handle of each kind that can be passed.
struct Passable {
  std::string kind;
  OsHandle handle;
};
std::vector<Passable> OneOfEach();

// Sends one of each to a server of Sample and gets them back; `check` sees whether they are the
// same. OK if they came.
// Of what gives power over a process: this process, a thread of it, its token, and a job.
std::vector<Passable> OneOfEachThatControls();

Status PassAll(BlockingClient& client, bool check = false);
// Lets the server send one first.
void TakeOne(BlockingClient& client);

}  // namespace lwmsg::test
