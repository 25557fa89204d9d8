#include "lwmsg/blocking_client.h"

#include <utility>

#include "runtime/blocking_loop.h"
#include "runtime/connecting.h"

namespace lwmsg {

class BlockingClient::Impl {
 public:
  template <typename Where>
  Impl(Where where, ClientOptions options)
      : loop_(options.busy_wait),
        connector_(loop_, std::move(where), std::move(options),
                   [this](bool may_wait) { loop_.RunOnce(may_wait); }) {}

  void Close() {
    connector_.Close();
    loop_.RunOnce(false);
  }
  internal::Connector& connector() { return connector_; }

 private:
  internal::BlockingLoop loop_;
  internal::Connector connector_;
};

BlockingClient::BlockingClient(std::string_view endpoints, ClientOptions options)
    : impl_(std::make_unique<Impl>(endpoints, std::move(options))) {}
BlockingClient::BlockingClient(OsHandle socket, ClientOptions options)
    : impl_(std::make_unique<Impl>(std::move(socket), std::move(options))) {}
BlockingClient::~BlockingClient() = default;

BlockingClient::operator Channel() const { return impl_->connector().channel(); }
Status BlockingClient::Serve(Service& service) {
  return impl_->connector().services().Add(service);
}
void BlockingClient::Close() { impl_->Close(); }
const Token& BlockingClient::peer() const { return impl_->connector().peer(); }

}  // namespace lwmsg
