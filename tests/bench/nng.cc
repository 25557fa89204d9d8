// NNG: rep0 with a few contexts in the server, req0 with a context for each call under way.

#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>
#include <string.h>
#include <unistd.h>

#include "contender.h"

namespace bench {

namespace {

constexpr size_t kServerContexts = 4;

void Must(int error, const char* what) {
  if (error != 0) Die(std::string(what) + ": " + nng_strerror(error));
}

std::span<char> Body(nng_msg* message) {
  return {static_cast<char*>(nng_msg_body(message)), nng_msg_len(message)};
}

// Answers one request after the other, in the threads of the library. The last byte of a request is
// its Kind.
class Answerer {
 public:
  explicit Answerer(nng_socket socket) {
    Must(nng_aio_alloc(
             &aio_, [](void* self) { static_cast<Answerer*>(self)->OnDone(); }, this),
         "nng_aio_alloc");
    Must(nng_ctx_open(&context_, socket), "nng_ctx_open");
    nng_ctx_recv(context_, aio_);
  }

 private:
  void OnDone() {
    Must(nng_aio_result(aio_), "the server");
    if (sending_) {
      sending_ = false;
      return nng_ctx_recv(context_, aio_);
    }
    nng_msg* const message = nng_aio_get_msg(aio_);
    const auto kind = static_cast<Kind>(Body(message).back());
    Must(nng_msg_chop(message, 1), "nng_msg_chop");
    if (kind == Kind::kTake) {
      const uint64_t digest = Digest(Body(message));
      nng_msg_clear(message);
      Must(nng_msg_append(message, &digest, sizeof digest), "nng_msg_append");
    }
    sending_ = true;
    nng_aio_set_msg(aio_, message);
    nng_ctx_send(context_, aio_);
  }

  nng_aio* aio_ = nullptr;
  nng_ctx context_ = NNG_CTX_INITIALIZER;
  bool sending_ = false;
};

void Serve(const std::string& endpoint, const std::function<void()>& ready) {
  nng_socket socket;
  Must(nng_rep0_open(&socket), "nng_rep0_open");
  Must(nng_socket_set_size(socket, NNG_OPT_RECVMAXSZ, 0), "nng_socket_set_size");
  Must(nng_listen(socket, ("ipc://" + endpoint).c_str(), nullptr, 0), "nng_listen");
  std::vector<std::unique_ptr<Answerer>> answerers;
  for (size_t i = 0; i < kServerContexts; ++i)
    answerers.push_back(std::make_unique<Answerer>(socket));
  ready();
  while (true) pause();
}

// One call at a time of one connection.
class Asker {
 public:
  Asker(nng_socket socket, const Shape& shape) : shape_(shape), payload_(shape.bytes, 'x') {
    Must(nng_ctx_open(&context_, socket), "nng_ctx_open");
    Must(nng_aio_alloc(&aio_, nullptr, nullptr), "nng_aio_alloc");
  }
  Asker(const Asker&) = delete;
  Asker& operator=(const Asker&) = delete;
  ~Asker() {
    nng_ctx_close(context_);
    nng_aio_free(aio_);
  }

  // Sends, and waits for the reply in the background.
  void Ask(uint64_t number) {
    number_ = number;
    Stamp(payload_, number);
    const auto kind = static_cast<char>(shape_.kind);
    nng_msg* message = nullptr;
    Must(nng_msg_alloc(&message, 0), "nng_msg_alloc");
    Must(nng_msg_append(message, payload_.data(), payload_.size()), "nng_msg_append");
    Must(nng_msg_append(message, &kind, 1), "nng_msg_append");
    nng_aio_set_msg(aio_, message);
    nng_ctx_send(context_, aio_);
    nng_aio_wait(aio_);
    Must(nng_aio_result(aio_), "nng_ctx_send");
    nng_ctx_recv(context_, aio_);
  }

  void CheckReply() {
    nng_aio_wait(aio_);
    Must(nng_aio_result(aio_), "nng_ctx_recv");
    nng_msg* const message = nng_aio_get_msg(aio_);
    if (shape_.kind == Kind::kEcho) {
      CheckEcho(Body(message), shape_.bytes, number_);
    } else {
      const uint64_t digest = ExpectedDigest(shape_.bytes, number_);
      Check(memcmp(Body(message).data(), &digest, sizeof digest) == 0, "a wrong digest");
    }
    nng_msg_free(message);
  }

 private:
  Shape shape_;
  std::string payload_;
  nng_ctx context_ = NNG_CTX_INITIALIZER;
  nng_aio* aio_ = nullptr;
  uint64_t number_ = 0;
};

class Caller final : public Client {
 public:
  Caller(const std::string& endpoint, const Shape& shape) {
    for (size_t i = 0; i < shape.connections; ++i) {
      nng_socket socket;
      Must(nng_req0_open(&socket), "nng_req0_open");
      sockets_.push_back(socket);
      Must(nng_socket_set_size(socket, NNG_OPT_RECVMAXSZ, 0), "nng_socket_set_size");
      Must(nng_dial(socket, ("ipc://" + endpoint).c_str(), nullptr, 0), "nng_dial");
      for (size_t j = 0; j < shape.outstanding; ++j)
        askers_.push_back(std::make_unique<Asker>(socket, shape));
    }
  }
  ~Caller() override {
    askers_.clear();
    for (const nng_socket socket : sockets_) nng_close(socket);
  }

  void Run(Meter& meter) override {
    for (const auto& asker : askers_) asker->Ask(next_++);
    std::vector<Asker*> asking;
    for (const auto& asker : askers_) asking.push_back(asker.get());
    while (!asking.empty()) {
      std::erase_if(asking, [this, &meter](Asker* asker) {
        asker->CheckReply();
        if (!meter.Done()) return true;
        asker->Ask(next_++);
        return false;
      });
    }
  }

 private:
  std::vector<nng_socket> sockets_;
  std::vector<std::unique_ptr<Asker>> askers_;
  uint64_t next_ = 0;
};

std::unique_ptr<Client> Connect(const std::string& endpoint, const Shape& shape) {
  if (shape.kind == Kind::kPass || shape.kind == Kind::kShare) return nullptr;
  return std::make_unique<Caller>(endpoint, shape);
}

}  // namespace

std::vector<Contender> Contenders() {
  return {{.name = "nng", .serve = Serve, .connect = Connect}};
}

}  // namespace bench
