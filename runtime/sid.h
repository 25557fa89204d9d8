#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lwmsg::internal {

// A Windows security identifier: "S-1-5-32-544" has authority 5 and the parts 32 and 544.
struct Sid {
  uint64_t authority = 0;  // 48 bits.
  std::vector<uint32_t> parts;

  // Empty unless `text` is the whole text of a SID. Names and the two letters of SDDL are none.
  static std::optional<Sid> Parse(std::string_view text);
  // As the system writes it, so that equal SIDs have equal texts.
  std::string ToString() const;

  friend bool operator==(const Sid&, const Sid&) = default;
};

inline constexpr std::string_view kSystemSid = "S-1-5-18";
inline constexpr std::string_view kAdministratorsSid = "S-1-5-32-544";

// What a mapping of SIDs to numbers depends on. As texts; empty where there is none.
struct AccountDomains {
  std::string machine;  // "S-1-5-21-x-y-z", of the accounts of this machine.
  std::string primary;  // Of the domain that the machine is a member of.
  std::string logon;    // "S-1-5-5-x-y", the logon session of this process.
};

// The uid or gid that Cygwin gives to an account (Cygwin User's Guide, "POSIX accounts, permission,
// and security", "Mapping Windows accounts to POSIX accounts"):
//   S-1-5-RID, S-1-5-32-RID     RID: SYSTEM is 18, Administrators are 544
//   S-1-5-X-RID                 0x1000 * X + RID
//   S-1-X-Y                     0x10000 + 0x100 * X + Y
//   S-1-5-5-X-Y                 0xfff for our own logon session, 0xffe for any other
//   S-1-16-RID                  0x60000 + RID
//   machine's accounts          0x30000 + RID
//   primary domain's accounts   0x100000 + RID
// Empty for all else: accounts of trusted domains, for which Cygwin asks the domain for an offset;
// of other machines and of Azure AD; services, packages. Also where Cygwin would give one number to
// two accounts, as then a number would be no identity; only foreign logon sessions share theirs.
std::optional<uint32_t> UnixIdOf(std::string_view sid, const AccountDomains& domains);

// The account with this number; empty if there is none, or several.
std::optional<std::string> SidOfUnixId(uint32_t id, const AccountDomains& domains);

}  // namespace lwmsg::internal
