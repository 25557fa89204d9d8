#include "lwmsg/endpoint.h"

namespace lwmsg {
namespace {

constexpr std::string_view kPathScheme = "unix:";
constexpr std::string_view kAbstractScheme = "unix-abstract:";

}  // namespace

Result<Endpoint> Endpoint::Parse(std::string_view text) {
  Kind kind = Kind::kPath;
  std::string_view scheme = kPathScheme;
  if (text.starts_with(kAbstractScheme)) {
    kind = Kind::kAbstract;
    scheme = kAbstractScheme;
  } else if (!text.starts_with(kPathScheme)) {
    return Error(StatusCode::kInvalidArgument,
                 "endpoint '" + std::string(text) +
                     "' has no known scheme; write unix:/path/of/socket or unix-abstract:name");
  }
  std::string_view name = text.substr(scheme.size());
  if (name.empty()) {
    return Error(StatusCode::kInvalidArgument,
                 "endpoint '" + std::string(text) + "' has nothing behind its scheme");
  }
  if (name.find('\0') != std::string_view::npos) {
    return Error(StatusCode::kInvalidArgument, "endpoint contains a zero byte");
  }
  return Endpoint(kind, std::string(name));
}

std::string Endpoint::ToString() const {
  return std::string(kind_ == Kind::kPath ? kPathScheme : kAbstractScheme) + name_;
}

}  // namespace lwmsg
