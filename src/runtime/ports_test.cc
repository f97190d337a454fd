#include "runtime/ports.hpp"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "runtime/testing.hpp"

namespace homeostat::runtime {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

/// Listens on a port that the kernel picks.
struct Listener {
  explicit Listener(bool six = false) : fd(::socket(six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in6 at{};
    at.sin6_family = six ? AF_INET6 : AF_INET;  // the any address and port 0 are all zero in both families
    socklen_t length = six ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
    auto* const address = reinterpret_cast<sockaddr*>(&at);
    if (::bind(fd.get(), address, length) != 0 || ::listen(fd.get(), 1) != 0) ::abort();
    ::getsockname(fd.get(), address, &length);
    port = ntohs(at.sin6_port);
  }
  os::Fd fd;
  std::uint16_t port = 0;
};

TEST(Ports, AListenerOfAnyKindTakesThePort) {
  const Listener four;
  const Listener six(true);
  EXPECT_FALSE(port_is_free(four.port));
  EXPECT_FALSE(port_is_free(six.port));
  std::uint16_t freed = 0;
  {
    const Listener gone;
    freed = gone.port;
  }
  EXPECT_TRUE(port_is_free(freed));
}

TEST(Ports, SaysWhoHasThem) {
  const Listener taken;
  const auto port = choose_port({.first = taken.port, .last = taken.port, .others = {}});
  ASSERT_FALSE(port);
  EXPECT_TRUE(port.error().text.starts_with(fmt::format("port {} is taken by ", taken.port))) << port.error().text;
  EXPECT_TRUE(port.error().text.ends_with(fmt::format("(pid {})", ::getpid()))) << port.error().text;
}

TEST(Ports, TheWishesComeInOrder) {
  // Ten ports in a row of which none is in use, to be independent of what else runs here.
  std::uint16_t first = 29000;
  const auto all_free = [&] {
    for (int i = 0; i < 10; ++i) {
      if (!port_is_free(static_cast<std::uint16_t>(first + i))) return false;
    }
    return true;
  };
  while (!all_free()) first = static_cast<std::uint16_t>(first + 10);
  const auto at = [&](int i) { return static_cast<std::uint16_t>(first + i); };
  PortWish wish{.first = at(0), .last = at(3), .preferred = at(2), .usual = at(1), .others = {}};
  EXPECT_EQ(choose_port(wish).value(), at(2));
  wish.preferred = at(9);  // the range was changed meanwhile
  EXPECT_EQ(choose_port(wish).value(), at(1));
  wish.others = {at(1)};
  EXPECT_EQ(choose_port(wish).value(), at(0));
  wish.others = {at(0), at(1), at(2), at(3)};
  EXPECT_EQ(choose_port(wish).error().text,
            fmt::format("all ports {}-{} are taken by other instances: the range is too small", at(0), at(3)));
}

TEST(Ports, EachInstanceGetsItsOwnAndKeepsIt) {
  os::testing::TempDir dir;
  World world(dir / "state");
  const Listener taken;
  const auto last = static_cast<std::uint16_t>(std::min(taken.port + 20, 65535));
  world.configure("api", {"sleep", "1000", "{port}"}, {.first_port = taken.port, .last_port = last});
  const Outcome zero = world.start({.service = "api", .slot = 0});
  const Outcome one = world.start({.service = "api", .slot = 1});
  ASSERT_EQ(zero.kind, OutcomeKind::succeeded) << zero.detail;
  ASSERT_EQ(one.kind, OutcomeKind::succeeded) << one.detail;
  EXPECT_NE(zero.port, taken.port);
  EXPECT_NE(zero.port, one.port);
  EXPECT_EQ(world.restart({.service = "api", .slot = 1}, one.now_running).port, one.port);
  const Recovered found = world.runtime->recover({.service = "api", .slot = 1});
  world.stop({.service = "api", .slot = 0}, zero.now_running);
  world.stop({.service = "api", .slot = 1}, found.running);
  world.configure("one", {"sleep", "1000"}, {.first_port = taken.port, .last_port = taken.port});
  const Outcome none = world.start({.service = "one", .slot = 0});
  EXPECT_EQ(none.kind, OutcomeKind::failed);
  EXPECT_NE(none.detail.find(fmt::format("port {} is taken", taken.port)), std::string::npos) << none.detail;
}

}  // namespace
}  // namespace homeostat::runtime
