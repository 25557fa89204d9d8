#include "lwmsg/blocking_client.h"

#include <utility>

#include "runtime/connecting.h"
#include "runtime/platform.h"

namespace lwmsg {

class BlockingClient::Impl {
 public:
  template <typename Where>
  Impl(Where where, ClientOptions options)
      : loop_(internal::MakeBlockingLoop()),
        association_(
            internal::MakeConnecting(*loop_, std::move(where), services_, std::move(options),
                                     [this](bool may_wait) { loop_->RunOnce(may_wait); })) {}

  void Close() {
    association_->Close(Status());
    loop_->RunOnce(false);
  }
  Association& association() { return *association_; }
  ServiceTable& services() { return services_; }

 private:
  ServiceTable services_;
  std::unique_ptr<internal::BlockingLoop> loop_;
  std::unique_ptr<Association> association_;
};

BlockingClient::BlockingClient(std::string_view endpoint, ClientOptions options)
    : impl_(std::make_unique<Impl>(endpoint, std::move(options))) {}
BlockingClient::BlockingClient(OsHandle socket, ClientOptions options)
    : impl_(std::make_unique<Impl>(std::move(socket), std::move(options))) {}
BlockingClient::~BlockingClient() = default;

BlockingClient::operator Channel() const { return impl_->association().channel(); }
Status BlockingClient::Serve(Service& service) { return impl_->services().Add(service); }
void BlockingClient::Close() { impl_->Close(); }
const Token& BlockingClient::peer() const { return impl_->association().peer(); }

}  // namespace lwmsg
