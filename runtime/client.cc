#include "lwmsg/client.h"

#include <utility>

#include "runtime/connecting.h"
#include "runtime/uv_loop.h"

namespace lwmsg {

class Client::Impl {
 public:
  template <typename Where>
  Impl(Loop& loop, Where where, ClientOptions options)
      : connector(loop.impl(), std::move(where), std::move(options), {}) {}

  internal::Connector connector;
};

Client::Client(Loop& loop, std::string_view endpoints, ClientOptions options)
    : impl_(std::make_unique<Impl>(loop, endpoints, std::move(options))) {}
Client::Client(Loop& loop, OsHandle socket, ClientOptions options)
    : impl_(std::make_unique<Impl>(loop, std::move(socket), std::move(options))) {}
Client::~Client() = default;

Client::operator Channel() const { return impl_->connector.channel(); }
Status Client::Serve(Service& service) { return impl_->connector.services().Add(service); }
void Client::Connect() { impl_->connector.Connect(); }
void Client::Close() { impl_->connector.Close(); }
AssociationState Client::State() const { return impl_->connector.State(); }
const Token& Client::peer() const { return impl_->connector.peer(); }

}  // namespace lwmsg
