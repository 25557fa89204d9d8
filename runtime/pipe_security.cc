#include "runtime/pipe_security.h"

#include "runtime/sid.h"

namespace lwmsg::internal {
namespace {

constexpr std::string_view kClient = "0x12019b";  // kPipeClientAccess.
constexpr std::string_view kEverything = "FA";    // FILE_ALL_ACCESS.

std::string Entry(char kind, std::string_view access, std::string_view sid) {
  std::string text = "(";
  text += kind;
  return text.append(";;").append(access).append(";;;").append(sid).append(")");
}

Status CheckSid(const char* what, const std::string& sid) {
  // Only the canonical text, so that nothing else gets into the descriptor.
  const auto known = Sid::Parse(sid);
  if (known && known->ToString() == sid) return Status();
  return Status(StatusCode::kInvalidArgument, std::string(what) + " '" + sid + "' is no SID");
}

}  // namespace

Result<std::string> PipeSddl(const Policy& policy, const std::string& pipe_owner) {
  const bool others = (policy.mode & 0002) != 0;
  const bool group = (policy.mode & 0020) != 0;
  if (group && !others && policy.group_sid.empty()) {
    return Error(StatusCode::kInvalidArgument,
                 "the mode lets in a group, but ListenOptions::group names none; on Windows there "
                 "is no default, as the primary group is mostly that of all users");
  }
  for (const auto& [what, sid] :
       {std::pair("this user", &policy.own.sid), std::pair("the pipe's owner", &pipe_owner),
        std::pair("the owner", &policy.owner_sid)}) {
    if (Status status = CheckSid(what, *sid); !status.ok()) return Error(std::move(status));
  }
  if (!policy.group_sid.empty()) {
    if (Status status = CheckSid("the group", policy.group_sid); !status.ok()) {
      return Error(std::move(status));
    }
  }
  std::string text = "O:" + pipe_owner;
  if (!policy.group_sid.empty()) text += "G:" + policy.group_sid;
  text += "D:P" + Entry('D', kEverything, "S-1-5-7") + Entry('A', kEverything, policy.own.sid);
  if (policy.own.sid != kSystemSid) text += Entry('A', kClient, kSystemSid);
  if ((policy.mode & 0200) != 0 && policy.owner_sid != policy.own.sid &&
      policy.owner_sid != kSystemSid) {
    text += Entry('A', kClient, policy.owner_sid);
  }
  if (group && !policy.group_sid.empty()) text += Entry('A', kClient, policy.group_sid);
  if (others) text += Entry('A', kClient, "S-1-1-0") + Entry('A', kClient, "S-1-15-2-1");
  // Everybody and, as "everybody" does not mean them, all packaged apps; and untrusted is enough.
  // Otherwise those below neither write nor read.
  const std::string label = "S-1-16-" + std::to_string(others ? 0 : LeastIntegrity(policy.own));
  return text + "S:(ML;;" + (others ? "NW" : "NWNR") + ";;;" + label + ")";
}

}  // namespace lwmsg::internal
