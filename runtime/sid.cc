#include "runtime/sid.h"

#include <charconv>

namespace lwmsg::internal {
namespace {

constexpr size_t kMaxParts = 15;  // SID_MAX_SUB_AUTHORITIES.
constexpr uint64_t kMaxAuthority = 0xFFFF'FFFF'FFFF;

// Authorities.
constexpr uint64_t kNt = 5;
constexpr uint64_t kMandatoryLabel = 16;
// First parts below NT.
constexpr uint32_t kLogonSession = 5;
constexpr uint32_t kAccount = 21;
constexpr uint32_t kBuiltin = 32;

// The numbers of the ranges, as Cygwin has them.
constexpr uint32_t kOtherSession = 0xffe;
constexpr uint32_t kOwnSession = 0xfff;
constexpr uint32_t kTwoParts = 0x1000;
constexpr uint32_t kOtherAuthorities = 0x10000;
constexpr uint32_t kMachine = 0x30000;
constexpr uint32_t kLabels = 0x60000;
constexpr uint32_t kPrimary = 0x100000;
constexpr uint32_t kRange = 0x10000;  // How many fit before the next may begin.

// Takes a number off the front of `text`, with the dash before it.
template <typename Number>
std::optional<Number> TakeNumber(std::string_view& text) {
  if (!text.starts_with('-')) return std::nullopt;
  text.remove_prefix(1);
  const bool hex = text.starts_with("0x") || text.starts_with("0X");
  if (hex) text.remove_prefix(2);
  Number number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, hex ? 16 : 10);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return number;
}

bool IsWellKnownAlone(uint32_t rid) { return rid < 500 || rid == 1000; }

// Of S-1-5-32-RID. Those of S-1-5-RID have smaller ones, but for "other organization".
bool IsBuiltin(uint32_t rid) { return rid >= 500 && rid != 1000 && rid < kOtherSession; }

// Of S-1-5-X-RID, in no other range.
bool IsTwoParts(uint32_t id) {
  return id >= kTwoParts && id < kPrimary && id / kRange != kOtherAuthorities / kRange &&
         id / kRange != kMachine / kRange && id / kRange != kLabels / kRange;
}

std::optional<uint32_t> IdBelowNt(const Sid& sid) {
  const uint32_t first = sid.parts[0];
  const uint32_t rid = sid.parts.back();
  if (sid.parts.size() == 1) return IsWellKnownAlone(first) ? std::optional(first) : std::nullopt;
  if (sid.parts.size() != 2 || first == kLogonSession || first == kAccount) return std::nullopt;
  if (first == kBuiltin) return IsBuiltin(rid) ? std::optional(rid) : std::nullopt;
  if (first >= kPrimary / kTwoParts || rid >= kTwoParts) return std::nullopt;
  const uint32_t id = kTwoParts * first + rid;
  return IsTwoParts(id) ? std::optional(id) : std::nullopt;
}

// The number of an account of the domain within it.
std::optional<uint32_t> RidIn(const Sid& sid, const std::string& domain) {
  const auto parent = Sid::Parse(domain);
  if (!parent || parent->parts.size() != 4) return std::nullopt;
  Sid own = sid;
  own.parts.pop_back();
  return own == *parent ? std::optional(sid.parts.back()) : std::nullopt;
}

}  // namespace

std::optional<Sid> Sid::Parse(std::string_view text) {
  if (!text.starts_with("S-1-") && !text.starts_with("s-1-")) return std::nullopt;
  text.remove_prefix(3);
  const auto authority = TakeNumber<uint64_t>(text);
  if (!authority || *authority > kMaxAuthority) return std::nullopt;
  Sid sid;
  sid.authority = *authority;
  while (!text.empty()) {
    const auto part = TakeNumber<uint32_t>(text);
    if (!part || sid.parts.size() == kMaxParts) return std::nullopt;
    sid.parts.push_back(*part);
  }
  return sid.parts.empty() ? std::nullopt : std::optional(std::move(sid));
}

std::string Sid::ToString() const {
  std::string text = "S-1-";
  if (authority > UINT32_MAX) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    text += "0x";
    for (int shift = 44; shift >= 0; shift -= 4) text += kDigits[(authority >> shift) & 15];
  } else {
    text += std::to_string(authority);
  }
  for (const uint32_t part : parts) text += '-' + std::to_string(part);
  return text;
}

std::optional<uint32_t> UnixIdOf(std::string_view sid, const AccountDomains& domains) {
  const auto known = Sid::Parse(sid);
  if (!known) return std::nullopt;
  const std::vector<uint32_t>& parts = known->parts;
  const uint32_t rid = parts.back();
  if (known->authority == kMandatoryLabel) {
    if (parts.size() != 1 || rid >= kRange) return std::nullopt;
    return kLabels + rid;
  }
  if (known->authority != kNt) {
    if (parts.size() != 1 || known->authority >= 0x100 || rid >= 0x100) return std::nullopt;
    return kOtherAuthorities + 0x100 * static_cast<uint32_t>(known->authority) + rid;
  }
  if (parts[0] == kLogonSession && parts.size() == 3) {
    const auto own = Sid::Parse(domains.logon);
    if (!own) return std::nullopt;
    return *known == *own ? kOwnSession : kOtherSession;
  }
  // On a domain's controller both are the same; there are no accounts of the machine then.
  if (const auto member = RidIn(*known, domains.primary)) {
    return *member < UINT32_MAX - kPrimary ? std::optional(kPrimary + *member) : std::nullopt;
  }
  if (const auto member = RidIn(*known, domains.machine)) {
    return *member < kRange ? std::optional(kMachine + *member) : std::nullopt;
  }
  return IdBelowNt(*known);
}

std::optional<std::string> SidOfUnixId(uint32_t id, const AccountDomains& domains) {
  Sid sid;
  sid.authority = kNt;
  std::string text;
  if (id == kOwnSession) {
    text = domains.logon;
  } else if (id >= kPrimary) {
    text = domains.primary + '-' + std::to_string(id - kPrimary);
  } else if (id / kRange == kMachine / kRange) {
    text = domains.machine + '-' + std::to_string(id - kMachine);
  } else {
    if (id / kRange == kLabels / kRange) {
      sid.authority = kMandatoryLabel;
      sid.parts = {id - kLabels};
    } else if (id / kRange == kOtherAuthorities / kRange) {
      sid.authority = (id - kOtherAuthorities) / 0x100;
      sid.parts = {id % 0x100};
    } else if (id >= kTwoParts) {
      sid.parts = {id / kTwoParts, id % kTwoParts};
    } else if (IsBuiltin(id)) {
      sid.parts = {kBuiltin, id};
    } else {
      sid.parts = {id};
    }
    text = sid.ToString();
  }
  // Whatever does not lead back is no account's number.
  return UnixIdOf(text, domains) == id ? std::optional(text) : std::nullopt;
}

}  // namespace lwmsg::internal
