#include "runtime/windows/peer_token.h"

#include <windows.h>

#include <optional>
#include <string>
#include <vector>

#include "runtime/platform.h"
#include "runtime/sid.h"
#include "runtime/windows/account.h"
#include "runtime/windows/system_status.h"
#include "runtime/windows/token_information.h"

namespace lwmsg::internal {
namespace {

constexpr DWORD kAsk = PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE;

uint64_t Number(const FILETIME& time) {
  return uint64_t{time.dwHighDateTime} << 32 | time.dwLowDateTime;
}

std::optional<uint64_t> CreationTime(const OsHandle& process) {
  FILETIME created{};
  FILETIME ignored{};
  if (GetProcessTimes(process.get(), &created, &ignored, &ignored, &ignored) == 0) {
    return std::nullopt;
  }
  return Number(created);
}

std::optional<std::string> KnownSid(void* sid) {
  std::string text = SidText(sid);
  return text.empty() ? std::nullopt : std::optional(std::move(text));
}

std::optional<uint32_t> KnownId(const std::optional<std::string>& sid) {
  return sid ? UnixIdOf(*sid, LocalAccountDomains()) : std::nullopt;
}

void ReadGroups(const OsHandle& token, TokenFacts& facts) {
  const TokenInformation<TOKEN_GROUPS> groups(token, TokenGroups);
  if (!groups) return;
  facts.group_sids.emplace();
  facts.groups.emplace();
  for (DWORD i = 0; i < groups->GroupCount; ++i) {
    const SID_AND_ATTRIBUTES& group = groups->Groups[i];
    // Those that only deny, as an administrator's without elevation, give no right to anything.
    if ((group.Attributes & SE_GROUP_ENABLED) == 0 ||
        (group.Attributes & (SE_GROUP_USE_FOR_DENY_ONLY | SE_GROUP_INTEGRITY)) != 0) {
      continue;
    }
    const auto sid = KnownSid(group.Sid);
    if (!sid) continue;
    facts.group_sids->push_back(*sid);
    if (const auto id = KnownId(sid)) facts.groups->push_back(*id);
  }
}

// What cannot be read stays unknown.
void ReadToken(const OsHandle& token, TokenFacts& facts) {
  if (const TokenInformation<TOKEN_USER> user(token, TokenUser); user) {
    facts.sid = KnownSid(user->User.Sid);
    facts.euid = KnownId(facts.sid);
  }
  if (const TokenInformation<TOKEN_PRIMARY_GROUP> group(token, TokenPrimaryGroup); group) {
    facts.egid = KnownId(KnownSid(group->PrimaryGroup));
  }
  ReadGroups(token, facts);
  if (const TokenInformation<TOKEN_MANDATORY_LABEL> label(token, TokenIntegrityLevel); label) {
    const auto level = Sid::Parse(SidText(label->Label.Sid));
    if (level) facts.integrity = level->parts.back();
  }
  if (const TokenInformation<TOKEN_ELEVATION> elevation(token, TokenElevation); elevation) {
    facts.elevated = elevation->TokenIsElevated != 0;
  }
  if (const TokenInformation<DWORD> session(token, TokenSessionId); session) {
    facts.logon_session = *session;
  }
  if (const TokenInformation<DWORD> container(token, TokenIsAppContainer); container) {
    facts.app_container = *container != 0;
  }
}

// For users: what a Token promises and no more.
OsHandle ForToken(const OsHandle& process) {
  HANDLE copy = nullptr;
  if (DuplicateHandle(GetCurrentProcess(), process.get(), GetCurrentProcess(), &copy, kAsk, FALSE,
                      0) == 0) {
    return OsHandle();
  }
  return OsHandle(copy);
}

Result<OsHandle> OpenProcessBy(uint32_t pid, bool& may_duplicate) {
  may_duplicate = true;
  OsHandle process(OpenProcess(kAsk | PROCESS_DUP_HANDLE, FALSE, pid));
  if (!process.valid() && GetLastError() == ERROR_ACCESS_DENIED) {
    may_duplicate = false;
    process = OsHandle(OpenProcess(kAsk, FALSE, pid));
  }
  if (process.valid()) return process;
  const DWORD error = GetLastError();
  if (error == ERROR_INVALID_PARAMETER) {
    return Error(StatusCode::kUnavailable,
                 "there is no process " + std::to_string(pid) + " any more");
  }
  return Error(
      SystemStatus("cannot open process " + std::to_string(pid) + " to ask who it is", error));
}

}  // namespace

PeerFacts PeerProcess::Facts() const {
  PeerFacts facts;
  facts.token = token;
  facts.alive = true;
  facts.created_before = facts.created_after = created;
  return facts;
}

Result<PeerProcess> OpenPeer(uint32_t pid) {
  PeerProcess peer;
  auto process = OpenProcessBy(pid, peer.may_duplicate);
  if (!process) return Error(std::move(process).error());
  peer.process = std::move(*process);
  PeerFacts seen;
  seen.pid_before = pid;
  seen.created_before = CreationTime(peer.process);
  HANDLE opened = nullptr;
  if (OpenProcessToken(peer.process.get(), TOKEN_QUERY, &opened) == 0) {
    return Error(
        SystemStatus("cannot read the token of process " + std::to_string(pid), GetLastError()));
  }
  const OsHandle token(opened);
  TokenFacts facts;
  facts.pid = pid;
  ReadToken(token, facts);
  facts.process = ForToken(peer.process);
  peer.token = Token(std::move(facts));
  seen.token = peer.token;
  seen.pid_after = GetProcessId(peer.process.get());
  seen.created_after = CreationTime(peer.process);
  seen.alive = WaitForSingleObject(peer.process.get(), 0) == WAIT_TIMEOUT;
  if (Status status = CheckSameProcess(seen); !status.ok()) return Error(std::move(status));
  peer.created = *seen.created_before;
  return peer;
}

uint64_t SystemTime() {
  FILETIME now{};
  GetSystemTimeAsFileTime(&now);
  return Number(now);
}

Result<OwnFacts> ReadOwnFacts() {
  auto own = OpenPeer(GetCurrentProcessId());
  if (!own) return Error(std::move(own).error());
  if (!own->token.sid() || !own->token.integrity()) {
    return Error(StatusCode::kInternal, "this process's own user or integrity level is not known");
  }
  return OwnFacts{*own->token.sid(), *own->token.integrity()};
}

Token OwnToken() {
  auto own = OpenPeer(GetCurrentProcessId());
  return own ? own->token : Token();
}

}  // namespace lwmsg::internal
