#pragma once

#include <memory>
#include <string>
#include <utility>

#include "lwmsg/endpoint.h"
#include "lwmsg/os_handle.h"
#include "lwmsg/status.h"

namespace lwmsg::internal {

// A pipe's name as the system takes it. Error: kUnimplemented for a kind of endpoint that is not on
// Windows, kInvalidArgument for a name that no pipe can have.
Result<std::wstring> ToPipeName(const Endpoint& endpoint);

// Error: kInvalidArgument unless it is a pipe for both directions: an anonymous one has only one.
Status CheckPipe(const OsHandle& handle);

// The name of one that is open, without \\.\pipe: "\app"; empty if it has none.
std::wstring NameOfPipe(const OsHandle& pipe);

// 128 random bits, as 32 hexadecimal digits. Error: kInternal.
Result<std::string> RandomText();
// Of a pair. Error: kInternal.
Result<std::wstring> RandomPipeName();

// This process has instances of a pipe. As long as one is open, also one that only serves a client
// of before, the system keeps the name, and nobody else gets it (FILE_FLAG_FIRST_PIPE_INSTANCE,
// CreateNamedPipe). Any thread.
class PipeName {
 public:
  // To listen: one at a time. Error: kAlreadyExists.
  static Result<std::shared_ptr<PipeName>> TakeToListen(const std::wstring& name,
                                                        const std::string& endpoint);
  explicit PipeName(std::wstring name) : name_(std::move(name)) {}
  PipeName(const PipeName&) = delete;
  PipeName& operator=(const PipeName&) = delete;
  ~PipeName();

  const std::wstring& name() const { return name_; }
  void EndListening();

 private:
  const std::wstring name_;
};

}  // namespace lwmsg::internal
