#include "runtime/windows/pipe_name.h"

#include <uv.h>
#include <windows.h>
// After <windows.h>.
#include <winternl.h>

#include <algorithm>
#include <array>
#include <cwctype>
#include <map>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "runtime/windows/ntdll.h"
#include "runtime/windows/system_status.h"
#include "runtime/windows/wide_text.h"

namespace lwmsg::internal {
namespace {

constexpr std::wstring_view kPrefix = L"\\\\.\\pipe\\";
// Of the whole name (CreateNamedPipeW, lpName).
constexpr size_t kLongest = 256;

struct Names {
  std::mutex mutex;
  std::map<std::wstring, std::weak_ptr<PipeName>> held;  // Guarded by mutex.
  std::set<std::wstring> listening;                      // Guarded by mutex.
};

Names& AllNames() {
  static auto& names = *new Names;  // Outlives what goes at exit.
  return names;
}

// The system's names are the same in capitals and not.
std::wstring Folded(std::wstring name) {
  std::transform(name.begin(), name.end(), name.begin(),
                 [](wchar_t c) { return static_cast<wchar_t>(std::towlower(c)); });
  return name;
}

}  // namespace

Result<std::wstring> ToPipeName(const Endpoint& endpoint) {
  if (endpoint.kind() != Endpoint::Kind::kPipe) {
    return Error(StatusCode::kUnimplemented,
                 "endpoint " + endpoint.ToString() + " is for Unix only; use pipe:name");
  }
  auto name = ToWide(endpoint.name());
  if (!name) return name;
  if (name->size() + kPrefix.size() > kLongest) {
    return Error(StatusCode::kInvalidArgument,
                 "endpoint " + endpoint.ToString() + " has a name of " +
                     std::to_string(name->size()) + " characters; a pipe's has at most " +
                     std::to_string(kLongest - kPrefix.size()));
  }
  if (name->find(L'\\') != std::wstring::npos) {
    return Error(StatusCode::kInvalidArgument, "endpoint " + endpoint.ToString() +
                                                   " has a backslash in its name; write pipe:app");
  }
  return std::wstring(kPrefix) + *name;
}

Status CheckPipe(const OsHandle& handle) {
  static auto* const query = FromNtdll<decltype(NtQueryObject)>("NtQueryObject");
  PUBLIC_OBJECT_BASIC_INFORMATION information{};
  const bool both = GetFileType(handle.get()) == FILE_TYPE_PIPE &&
                    GetNamedPipeInfo(handle.get(), nullptr, nullptr, nullptr, nullptr) != 0 &&
                    query(handle.get(), ObjectBasicInformation, &information, sizeof(information),
                          nullptr) == 0 &&
                    (information.GrantedAccess & FILE_WRITE_DATA) != 0;
  if (both) return Status();
  return Status(StatusCode::kInvalidArgument,
                "handle " + std::to_string(reinterpret_cast<uintptr_t>(handle.get())) +
                    " is no connected pipe for both directions");
}

std::wstring NameOfPipe(const OsHandle& pipe) {
  std::array<std::byte, sizeof(FILE_NAME_INFO) + kLongest * sizeof(wchar_t)> buffer{};
  if (GetFileInformationByHandleEx(pipe.get(), FileNameInfo, buffer.data(), buffer.size()) == 0) {
    return {};
  }
  const auto* info = reinterpret_cast<const FILE_NAME_INFO*>(buffer.data());
  return {info->FileName, info->FileNameLength / sizeof(wchar_t)};
}

Result<std::string> RandomText() {
  std::array<unsigned char, 16> random{};
  if (uv_random(nullptr, nullptr, random.data(), random.size(), 0, nullptr) != 0) {
    return Error(StatusCode::kInternal, "the system gives no random numbers");
  }
  std::string text;
  for (const unsigned char byte : random) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

Result<std::wstring> RandomPipeName() {
  auto random = RandomText();
  if (!random) return Error(std::move(random).error());
  return std::wstring(kPrefix) + L"lwmsg-pair-" + std::wstring(random->begin(), random->end());
}

Result<std::shared_ptr<PipeName>> PipeName::TakeToListen(const std::wstring& name,
                                                         const std::string& endpoint) {
  Names& names = AllNames();
  const std::lock_guard lock(names.mutex);
  const std::wstring key = Folded(name);
  if (names.listening.contains(key)) {
    return Error(StatusCode::kAlreadyExists, "a server is running at " + endpoint);
  }
  auto held = names.held[key].lock();
  // What the system refuses with FILE_FLAG_FIRST_PIPE_INSTANCE, told before it is tried, and where
  // that is not enforced (Wine 8).
  if (!held && (WaitNamedPipeW(name.c_str(), 1) != 0 || GetLastError() == ERROR_SEM_TIMEOUT)) {
    names.held.erase(key);
    return Error(StatusCode::kAlreadyExists, "a server is running at " + endpoint);
  }
  if (!held) {
    held = std::make_shared<PipeName>(name);
    names.held[key] = held;
  }
  names.listening.insert(key);
  return held;
}

void PipeName::EndListening() {
  Names& names = AllNames();
  const std::lock_guard lock(names.mutex);
  names.listening.erase(Folded(name_));
}

PipeName::~PipeName() {
  Names& names = AllNames();
  const std::lock_guard lock(names.mutex);
  const auto found = names.held.find(Folded(name_));
  // Another may have taken it since the last owner went.
  if (found != names.held.end() && found->second.expired()) names.held.erase(found);
}

}  // namespace lwmsg::internal
