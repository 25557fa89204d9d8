#include "lwmsg/client.h"

#include <utility>

#include "runtime/connecting.h"
#include "runtime/uv_loop.h"

namespace lwmsg {

class Client::Impl {
 public:
  template <typename Where>
  Impl(Loop& loop, Where where, ClientOptions options)
      : association_(internal::MakeConnecting(loop.impl(), std::move(where), services_,
                                              std::move(options), {})) {}

  Association& association() { return *association_; }
  ServiceTable& services() { return services_; }

 private:
  ServiceTable services_;
  std::unique_ptr<Association> association_;
};

Client::Client(Loop& loop, std::string_view endpoint, ClientOptions options)
    : impl_(std::make_unique<Impl>(loop, endpoint, std::move(options))) {}
Client::Client(Loop& loop, OsHandle socket, ClientOptions options)
    : impl_(std::make_unique<Impl>(loop, std::move(socket), std::move(options))) {}
Client::~Client() = default;

Client::operator Channel() const { return impl_->association().channel(); }
Status Client::Serve(Service& service) { return impl_->services().Add(service); }
void Client::Connect() { impl_->association().Start(); }
void Client::Close() { impl_->association().Close(Status()); }
const Token& Client::peer() const { return impl_->association().peer(); }

}  // namespace lwmsg
