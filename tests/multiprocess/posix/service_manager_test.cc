#include "lwmsg/service_manager.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "runtime/posix/socket_address.h"
#include "tests/multiprocess/posix/fixture.h"

// A test as service manager: it makes the sockets, starts the service and hears from it.
namespace lwmsg::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

class ServiceManagerTest : public MultiprocessTest {
 protected:
  static OsHandle Bind(int type, const std::string& endpoint) {
    auto address = internal::ToSocketAddress(*Endpoint::Parse(endpoint));
    OsHandle socket(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
    EXPECT_EQ(bind(socket.get(), address->get(), address->size), 0);
    return socket;
  }
  // Makes listening sockets with these names in the folder, and starts a service with them.
  void Start(const std::vector<std::string>& files, Arguments arguments) {
    std::vector<int> numbers;
    std::string sockets = "sockets=";
    for (const std::string& file : files) {
      sockets_.push_back(Bind(SOCK_STREAM, folder_.Endpoint(file)));
      numbers.push_back(sockets_.back().get());
      EXPECT_EQ(listen(numbers.back(), 5), 0);
      sockets += (numbers.size() > 1 ? "," : "") + std::to_string(numbers.back());
    }
    arguments.push_back(sockets);
    service_.emplace("activate", arguments, numbers);
  }
  std::string Line() { return service_->ReadLine(); }
  // The next message of the service.
  static std::string Notification(const OsHandle& socket) {
    pollfd polled = {socket.get(), POLLIN, 0};
    if (poll(&polled, 1, 20'000) != 1) return "(nothing)";
    std::array<char, 1024> buffer{};
    const ssize_t size = recv(socket.get(), buffer.data(), buffer.size(), 0);
    return {buffer.data(), static_cast<size_t>(std::max<ssize_t>(size, 0))};
  }

  std::vector<OsHandle> sockets_;
  std::optional<Process> service_;
};

TEST_F(ServiceManagerTest, SocketsAreTakenByNameAndServed) {
  Start({"a", "b"}, {"names=first:second", "take=second,first"});
  EXPECT_EQ(Line(), "took second: " + folder_.Endpoint("b"));
  EXPECT_EQ(Line(), "took first: " + folder_.Endpoint("a"));
  EXPECT_EQ(Line(), "ready ok");
  EXPECT_EQ(CallNothing(folder_.Endpoint("a")), Status());
  EXPECT_EQ(CallNothing(folder_.Endpoint("b")), Status());
}

TEST_F(ServiceManagerTest, ClientThatCameBeforeTheServiceIsServed) {
  sockets_.push_back(Bind(SOCK_STREAM, folder_.Endpoint()));
  const int number = sockets_[0].get();
  ASSERT_EQ(listen(number, 5), 0);
  Process client("call", {EndpointArgument()});
  pollfd polled = {number, POLLIN, 0};
  ASSERT_EQ(poll(&polled, 1, 20'000), 1) << "the client has not connected";
  service_.emplace("activate",
                   Arguments{"names=door", "take=door", "sockets=" + std::to_string(number)},
                   std::vector<int>{number});
  EXPECT_THAT(Line(), StartsWith("took door"));
  EXPECT_THAT(client.ReadLine(), StartsWith("client euid="));
}

TEST_F(ServiceManagerTest, SocketsOfOneNameAreTakenOneAfterTheOther) {
  Start({"a", "b"}, {"names=door:door", "take=door,door,door"});
  EXPECT_EQ(Line(), "took door: " + folder_.Endpoint("a"));
  EXPECT_EQ(Line(), "took door: " + folder_.Endpoint("b"));
  EXPECT_THAT(Line(), AllOf(StartsWith("not found: "), HasSubstr("'door'"),
                            HasSubstr("there is 'door' (taken), 'door' (taken)")));
}

TEST_F(ServiceManagerTest, SocketsWithoutNamesAreUnknown) {
  Start({"a"}, {"take=unknown"});
  EXPECT_EQ(Line(), "took unknown: " + folder_.Endpoint("a"));
}

TEST_F(ServiceManagerTest, WrongNameIsAnsweredWithTheNamesThatThereAre) {
  Start({"a", "b"}, {"names=front:back", "take=side"});
  EXPECT_THAT(Line(), AllOf(StartsWith("not found: "), HasSubstr("'side'"),
                            HasSubstr("there is 'front', 'back'")));
}

TEST_F(ServiceManagerTest, SocketsOfAnotherProcessAreNotTaken) {
  Start({"a"}, {"names=door", "take=door", "pid=1"});
  EXPECT_THAT(Line(), AllOf(StartsWith("failed precondition: "),
                            HasSubstr("process 1 (LISTEN_PID)"), HasSubstr(service_->PidText())));
}

TEST_F(ServiceManagerTest, VariablesThatMakeNoSenseAreReported) {
  struct Case {
    Arguments arguments;
    const char* text;
  };
  for (const Case& c : {Case{{"count=x"}, "LISTEN_FDS=x is no number"},
                        Case{{"count=-1"}, "LISTEN_FDS=-1 is no number"},
                        Case{{"count=99999999"}, "LISTEN_FDS=99999999 is no number"},
                        Case{{"count=99999999999999"}, "LISTEN_FDS=99999999999999 is no number"},
                        Case{{"pid=0x1"}, "process 0x1 (LISTEN_PID)"},
                        Case{{"names=a:b"}, "LISTEN_FDNAMES=a:b has 2 names for LISTEN_FDS=1"},
                        Case{{"count=200"}, "('unknown'), which is not open"}}) {
    Arguments arguments = c.arguments;
    arguments.emplace_back("take=door");
    Start({"s" + std::to_string(sockets_.size())}, std::move(arguments));
    EXPECT_THAT(Line(), AllOf(StartsWith("failed precondition: "), HasSubstr(c.text)));
  }
}

TEST_F(ServiceManagerTest, ProcessWithoutAServiceManagerHasNoSocketsAndNobodyToNotify) {
  auto socket = TakeListenSocket("door");
  ASSERT_FALSE(socket);
  EXPECT_EQ(socket.error().code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(socket.error().message(), HasSubstr("LISTEN_PID"));
  EXPECT_EQ(NotifyReady(), Status());
  EXPECT_EQ(NotifyStatus("text"), Status());
  EXPECT_EQ(NotifyStopping(), Status());
}

TEST_F(ServiceManagerTest, ManagerHearsOfEachStep) {
  const std::string name = folder_.Path("notify");
  for (const bool abstract : {false, true}) {
    const OsHandle manager = Bind(SOCK_DGRAM, (abstract ? "unix-abstract:" : "unix:") + name);
    Start({abstract ? "a" : "b"},
          {"names=door", "take=door", "text=2 doors", "notify=" + (abstract ? "@" + name : name)});
    EXPECT_EQ(Notification(manager), "READY=1\nSTATUS=2 doors");
    EXPECT_THAT(Line(), StartsWith("took"));
    EXPECT_EQ(Line(), "ready ok");
    service_->Tell("one door shut");
    EXPECT_EQ(Notification(manager), "STATUS=one door shut");
    EXPECT_EQ(Line(), "told ok");
    service_->Tell("stop");
    EXPECT_EQ(Notification(manager), "STOPPING=1");
    EXPECT_EQ(Line(), "stopping ok");
  }
}

// Sets a variable of this process for a while.
class Setting {
 public:
  Setting(const char* name, const std::string& value) : name_(name) {
    setenv(name, value.c_str(), 1);
  }
  Setting(const Setting&) = delete;
  Setting& operator=(const Setting&) = delete;
  ~Setting() { unsetenv(name_); }

 private:
  const char* name_;
};

TEST_F(ServiceManagerTest, NotificationThatCannotGoIsReported) {
  const Setting nobody("NOTIFY_SOCKET", folder_.Path("nobody"));
  const Status missing = NotifyReady();
  EXPECT_EQ(missing.code(), StatusCode::kNotFound) << missing;
  EXPECT_THAT(missing.message(), HasSubstr("NOTIFY_SOCKET=" + folder_.Path("nobody")));
  EXPECT_EQ(NotifyStatus("two\nlines").code(), StatusCode::kInvalidArgument);
  for (const char* value : {"relative", "vsock:2:1", "@"}) {
    const Setting wrong("NOTIFY_SOCKET", value);
    EXPECT_EQ(NotifyReady().code(), StatusCode::kInvalidArgument) << value;
  }
  const Setting too_long("NOTIFY_SOCKET", "/" + std::string(200, 'x'));
  EXPECT_EQ(NotifyReady().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace lwmsg::test
