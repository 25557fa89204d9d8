#include "end_request.h"

#include <windows.h>

namespace {

HANDLE asked = nullptr;

BOOL WINAPI Ask(DWORD /*event*/) { return SetEvent(asked); }

}  // namespace

EndRequest::EndRequest() {
  asked = CreateEventW(nullptr, TRUE, FALSE, nullptr);
  SetConsoleCtrlHandler(Ask, TRUE);
}

void EndRequest::Wait() { WaitForSingleObject(asked, INFINITE); }
