#include "tests/multiprocess/windows/handles_to_pass.h"

#include <gtest/gtest.h>
// Before <windows.h>, which would bring the first version.
#include <winsock2.h>
// After it.
#include <windows.h>

#include <cstring>
#include <utility>

#include "tests/support/sample_service.h"

namespace lwmsg::test {
namespace {

bool SameObject(HANDLE a, HANDLE b) {
  using Compare = BOOL WINAPI(HANDLE, HANDLE);
  static auto* const compare = reinterpret_cast<Compare*>(reinterpret_cast<void*>(
      GetProcAddress(GetModuleHandleW(L"kernelbase.dll"), "CompareObjectHandles")));
  return compare(a, b) != 0;
}

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
  return OsHandle(reinterpret_cast<HANDLE>(udp));
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
  const auto add = [&](const char* kind, HANDLE handle) {
    all.push_back({kind, OsHandle(handle)});
    EXPECT_TRUE(all.back().handle.valid()) << kind;
  };
  add("File", OpenFile(NullPath()).Release());
  add("pipe", FileWith("x").Release());
  add("Section",
      CreateFileMappingW(INVALID_HANDLE_VALUE, nullptr, PAGE_READWRITE, 0, 4096, nullptr));
  add("Event", CreateEventW(nullptr, TRUE, FALSE, nullptr));
  add("Mutant", CreateMutexW(nullptr, FALSE, nullptr));
  add("Semaphore", CreateSemaphoreW(nullptr, 1, 2, nullptr));
  add("Timer", CreateWaitableTimerW(nullptr, TRUE, nullptr));
  add("Key", key);
  add("socket", MakeSocket().Release());
  return all;
}

Status PassAll(BlockingClient& client, bool check) {
  std::vector<Passable> all = OneOfEach();
  auto collect = sample::SampleClient(client).Collect();
  auto items = collect->initItems(static_cast<uint32_t>(all.size()));
  for (uint32_t i = 0; i < items.size(); ++i) {
    // What Winsock knows goes; of a duplicate it does not.
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
      EXPECT_TRUE(SameObject(handle->get(), all[i].handle.get())) << all[i].kind;
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
