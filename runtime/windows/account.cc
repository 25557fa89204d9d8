#include "runtime/windows/account.h"

#include <windows.h>
// After it.
#include <ntsecapi.h>
#include <sddl.h>

#include <charconv>
#include <optional>
#include <vector>

#include "runtime/windows/system_status.h"
#include "runtime/windows/token_information.h"
#include "runtime/windows/wide_text.h"

namespace lwmsg::internal {
namespace {

// `read` gives the SID in one kind of the policy's information.
template <typename Information, typename Read>
std::string DomainSid(LSA_HANDLE policy, POLICY_INFORMATION_CLASS kind, Read read) {
  void* buffer = nullptr;
  if (LsaQueryInformationPolicy(policy, kind, &buffer) != 0 || buffer == nullptr) return {};
  PSID sid = read(*static_cast<const Information*>(buffer));
  std::string text = sid == nullptr ? std::string() : SidText(sid);
  LsaFreeMemory(buffer);
  return text;
}

std::string OwnLogonSid() {
  HANDLE token = nullptr;
  if (OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token) == 0) return {};
  const OsHandle owner(token);
  const TokenInformation<TOKEN_GROUPS> groups(owner, TokenGroups);
  if (!groups) return {};
  for (DWORD i = 0; i < groups->GroupCount; ++i) {
    const SID_AND_ATTRIBUTES& group = groups->Groups[i];
    if ((group.Attributes & SE_GROUP_LOGON_ID) == SE_GROUP_LOGON_ID) return SidText(group.Sid);
  }
  return {};
}

AccountDomains ReadAccountDomains() {
  AccountDomains domains;
  domains.logon = OwnLogonSid();
  LSA_OBJECT_ATTRIBUTES attributes{};
  LSA_HANDLE policy = nullptr;
  if (LsaOpenPolicy(nullptr, &attributes, POLICY_VIEW_LOCAL_INFORMATION, &policy) != 0) {
    return domains;
  }
  domains.machine = DomainSid<POLICY_ACCOUNT_DOMAIN_INFO>(
      policy, PolicyAccountDomainInformation, [](const auto& info) { return info.DomainSid; });
  domains.primary = DomainSid<POLICY_PRIMARY_DOMAIN_INFO>(
      policy, PolicyPrimaryDomainInformation, [](const auto& info) { return info.Sid; });
  LsaClose(policy);
  return domains;
}

std::optional<uint32_t> ParseNumber(const std::string& text) {
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool IsAccount(SID_NAME_USE use) {
  return use == SidTypeUser || use == SidTypeGroup || use == SidTypeAlias ||
         use == SidTypeWellKnownGroup;
}

}  // namespace

std::string SidText(void* sid) {
  wchar_t* text = nullptr;
  if (IsValidSid(sid) == 0 || ConvertSidToStringSidW(sid, &text) == 0) return {};
  std::string result = ToUtf8(text);
  LocalFree(text);
  // In the one form that is compared.
  const auto parsed = Sid::Parse(result);
  return parsed ? parsed->ToString() : std::string();
}

const AccountDomains& LocalAccountDomains() {
  static const AccountDomains domains = ReadAccountDomains();
  return domains;
}

Result<std::string> FindAccount(const std::string& kind, const std::string& name) {
  const std::string missing = "there is no " + kind + " '" + name + "'";
  if (const auto sid = Sid::Parse(name)) return sid->ToString();
  if (const auto number = ParseNumber(name)) {
    if (auto sid = SidOfUnixId(*number, LocalAccountDomains())) return std::move(*sid);
    return Error(StatusCode::kNotFound, missing + "; its number is not one of Cygwin's");
  }
  const auto wide = ToWide(name);
  if (!wide) return Error(StatusCode::kNotFound, missing + ": " + wide.error().message());
  std::vector<uint64_t> sid(SECURITY_MAX_SID_SIZE / sizeof(uint64_t) + 1);
  std::vector<wchar_t> domain(256);
  SID_NAME_USE use = SidTypeInvalid;
  for (;;) {
    DWORD sid_size = static_cast<DWORD>(sid.size() * sizeof(uint64_t));
    DWORD domain_size = static_cast<DWORD>(domain.size());
    if (LookupAccountNameW(nullptr, wide->c_str(), sid.data(), &sid_size, domain.data(),
                           &domain_size, &use) != 0) {
      break;
    }
    const DWORD error = GetLastError();
    if (error != ERROR_INSUFFICIENT_BUFFER || domain_size <= domain.size()) {
      if (error == ERROR_NONE_MAPPED) return Error(StatusCode::kNotFound, missing);
      return Error(SystemStatus("cannot look up the " + kind + " '" + name + "'", error));
    }
    domain.resize(domain_size);
  }
  // A machine or a domain has a SID too, which nobody's token has.
  if (!IsAccount(use)) return Error(StatusCode::kNotFound, missing);
  return SidText(sid.data());
}

}  // namespace lwmsg::internal
