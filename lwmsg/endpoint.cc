#include "lwmsg/endpoint.h"

namespace lwmsg {
namespace {

struct Scheme {
  Endpoint::Kind kind;
  std::string_view prefix;
};
constexpr Scheme kSchemes[] = {{Endpoint::Kind::kPath, "unix:"},
                               {Endpoint::Kind::kAbstract, "unix-abstract:"},
                               {Endpoint::Kind::kDirect, "direct:"},
                               {Endpoint::Kind::kPipe, "pipe:"}};

const Scheme* SchemeOf(std::string_view text) {
  for (const Scheme& scheme : kSchemes) {
    if (text.starts_with(scheme.prefix)) return &scheme;
  }
  return nullptr;
}

}  // namespace

Result<std::vector<Endpoint>> Endpoint::ParseList(std::string_view text) {
  std::vector<Endpoint> endpoints;
  size_t start = 0;
  for (size_t comma = text.find(','); start <= text.size(); comma = text.find(',', comma + 1)) {
    const bool end = comma == std::string_view::npos;
    if (!end && SchemeOf(text.substr(comma + 1)) == nullptr) continue;
    auto endpoint = Parse(text.substr(start, end ? comma : comma - start));
    if (!endpoint) return Error(std::move(endpoint).error());
    endpoints.push_back(std::move(*endpoint));
    if (end) break;
    start = comma + 1;
  }
  return endpoints;
}

Result<Endpoint> Endpoint::Parse(std::string_view text) {
  const Scheme* scheme = SchemeOf(text);
  if (scheme == nullptr) {
    return Error(StatusCode::kInvalidArgument,
                 "endpoint '" + std::string(text) +
                     "' has no known scheme; write unix:/path/of/socket, unix-abstract:name, "
                     "pipe:name (Windows) or direct:name");
  }
  std::string_view name = text.substr(scheme->prefix.size());
  if (name.empty()) {
    return Error(StatusCode::kInvalidArgument,
                 "endpoint '" + std::string(text) + "' has nothing behind its scheme");
  }
  if (name.find('\0') != std::string_view::npos) {
    return Error(StatusCode::kInvalidArgument, "endpoint contains a zero byte");
  }
  return Endpoint(scheme->kind, std::string(name));
}

std::string Endpoint::ToString() const {
  for (const Scheme& scheme : kSchemes) {
    if (scheme.kind == kind_) return std::string(scheme.prefix) + name_;
  }
  return name_;
}

}  // namespace lwmsg
