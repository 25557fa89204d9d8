#include "tests/multiprocess/windows/handles_to_pass.h"

#include <gtest/gtest.h>
// Before <windows.h>, which would bring the first version.
#include <winsock2.h>
// After it.
#include <windows.h>

#include <cstring>
#include <utility>

#include "tests/support/sample_service.h"
#include "tests/support/windows/handle_table.h"

namespace lwmsg::test {
namespace {

OsHandle MakeSocket() {
  WSADATA data;
  static const int started = WSAStartup(MAKEWORD(2, 2), &data);
  EXPECT_EQ(started, 0);
  const SOCKET udp = WSASocketW(AF_INET, SOCK_DGRAM, 0, nullptr, 0,
                                WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(bind(udp, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  return OsHandle::OfSocket(udp);
}

// 0 for what is no socket that Winsock knows.
uint16_t PortOf(const OsHandle& udp) {
  sockaddr_in address{};
  int size = sizeof(address);
  getsockname(reinterpret_cast<SOCKET>(udp.get()), reinterpret_cast<sockaddr*>(&address), &size);
  return address.sin_port;
}

}  // namespace

std::vector<Passable> OneOfEach() {
  HKEY key = nullptr;
  RegOpenKeyExW(HKEY_CURRENT_USER, L"Software", 0, KEY_READ, &key);
  std::vector<Passable> all;
  const auto add_handle = [&](const char* kind, OsHandle handle) {
    EXPECT_TRUE(handle.valid()) << kind;
    all.push_back({kind, std::move(handle)});
  };
  const auto add = [&](const char* kind, HANDLE handle) { add_handle(kind, OsHandle(handle)); };
  add_handle("File", OpenFile(NullPath()));
  add_handle("pipe", FileWith("x"));
  add("Section",
      CreateFileMappingW(INVALID_HANDLE_VALUE, nullptr, PAGE_READWRITE, 0, 4096, nullptr));
  add("Event", CreateEventW(nullptr, TRUE, FALSE, nullptr));
  add("Mutant", CreateMutexW(nullptr, FALSE, nullptr));
  add("Semaphore", CreateSemaphoreW(nullptr, 1, 2, nullptr));
  add("Timer", CreateWaitableTimerW(nullptr, TRUE, nullptr));
  add("Key", key);
  add_handle("socket", MakeSocket());
  return all;
}

std::vector<Passable> OneOfEachThatControls() {
  HANDLE token = nullptr;
  EXPECT_TRUE(OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token));
  std::vector<Passable> all;
  const auto add = [&](const char* kind, HANDLE handle) {
    EXPECT_NE(handle, nullptr) << kind;
    all.push_back({kind, OsHandle(handle)});
  };
  add("Process", OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, GetCurrentProcessId()));
  add("Thread", OpenThread(SYNCHRONIZE, FALSE, GetCurrentThreadId()));
  add("Token", token);
  add("Job", CreateJobObjectW(nullptr, nullptr));
  return all;
}

Status PassAll(BlockingClient& client, bool check) {
  std::vector<Passable> all = OneOfEach();
  auto collect = sample::SampleClient(client).Collect();
  auto items = collect->initItems(static_cast<uint32_t>(all.size()));
  for (uint32_t i = 0; i < items.size(); ++i) {
    OsHandle kept = std::move(*all[i].handle.Duplicate());
    collect.Put(items[i].getFile(), std::exchange(all[i].handle, std::move(kept)));
  }
  auto reply = collect.Sync();
  if (!reply) return reply.error();
  uint32_t i = 0;
  for (auto item : reply->getItems()) {
    auto handle = reply->Take(item.getFile());
    if (!handle) return handle.error();
    if (check) {
      EXPECT_TRUE(SameObject(*handle, all[i].handle)) << all[i].kind;
      EXPECT_EQ(PortOf(*handle) != 0, all[i].kind == "socket");
    }
    ++i;
  }
  EXPECT_EQ(i, all.size());
  return Status();
}

void TakeOne(BlockingClient& client) {
  auto open = sample::SampleClient(client).Open();
  open->setPath(NullPath());
  static_cast<void>(open.Sync());
}

}  // namespace lwmsg::test
