#pragma once

// Tells when the program is asked to end: by Ctrl-C, or as each system does it: posix/ and
// windows/. To be made before any thread, once.
class EndRequest {
 public:
  EndRequest();
  EndRequest(const EndRequest&) = delete;
  EndRequest& operator=(const EndRequest&) = delete;

  // Returns when it is.
  void Wait();
};
