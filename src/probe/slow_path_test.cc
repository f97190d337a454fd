// Against nginx: TLS, redirects, patterns over bodies, and names.
#include "probe/slow_path.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "os/child.hpp"
#include "os/incarnation.hpp"
#include "probe/redirect.hpp"
#include "probe/test_kit.hpp"

namespace homeostat::probe {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::uint16_t free_port() { return DeadPort().port(); }

void run(std::vector<std::string> argv) {
  os::ChildSpec spec;
  spec.argv = std::move(argv);
  const auto child = os::spawn(spec);
  if (!child) throw std::runtime_error(child.error().text);
  int status = 0;
  ::waitpid(child->pid, &status, 0);
  if (status != 0) throw std::runtime_error(spec.argv[0] + " failed");
}

/// An nginx with one plain port, and TLS ports with certificates that are good, expired, and for another name.
class Nginx {
 public:
  Nginx() {
    dir_ = ::mkdtemp(name_);
    std::filesystem::permissions(dir_, std::filesystem::perms::all);
    certificate("good", "/CN=localhost", "subjectAltName=DNS:localhost,IP:127.0.0.1", "+10");
    certificate("other", "/CN=other.example", "subjectAltName=DNS:other.example", "+10");
    certificate("expired", "/CN=localhost", "subjectAltName=DNS:localhost", "-1");
    for (int attempt = 0; attempt < 5 && !start(); ++attempt) {
    }
  }
  ~Nginx() {
    if (child_.pid > 1) {
      os::signal_group(child_.pid, SIGKILL);
      os::reap(child_);
    }
    std::filesystem::remove_all(dir_);
  }

  std::uint16_t plain() const { return plain_; }
  std::uint16_t good() const { return good_; }
  std::uint16_t other() const { return other_; }
  std::uint16_t expired() const { return expired_; }
  std::string ca(const std::string& of) const { return dir_ + "/" + of + ".crt"; }

 private:
  void certificate(const std::string& name, const std::string& subject, const std::string& alternative,
                   const std::string& days) {
    run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
         subject, "-addext", alternative, "-days", days.starts_with('+') ? days.substr(1) : "1", "-keyout",
         dir_ + "/" + name + ".key", "-out", ca(name)});
    if (days.starts_with('+')) return;
    run({"openssl", "x509", "-in", ca(name), "-signkey", dir_ + "/" + name + ".key", "-days", days, "-out", ca(name)});
  }

  std::string tls(std::uint16_t port, const std::string& name) const {
    return "server { listen 127.0.0.1:" + std::to_string(port) + " ssl; ssl_certificate " + ca(name) +
           "; ssl_certificate_key " + dir_ + "/" + name + ".key; location / { return 200 'state: ready 42\\n'; } }\n";
  }

  bool start() {
    plain_ = free_port();
    good_ = free_port();
    other_ = free_port();
    expired_ = free_port();
    const std::string port = std::to_string(plain_);
    std::ofstream(dir_ + "/conf")
        << "daemon off; master_process off; pid " << dir_ << "/pid; error_log " << dir_ << "/error.log; events {}\n"
        << "http { access_log off; client_body_temp_path " << dir_ << "/b; proxy_temp_path " << dir_
        << "/p; fastcgi_temp_path " << dir_ << "/f; uwsgi_temp_path " << dir_ << "/u; scgi_temp_path " << dir_
        << "/s;\n"
        << "server { listen 127.0.0.1:" << port << "; absolute_redirect off;\n"
        << "location / { return 200 'state: ready 42\\n'; } location /broken { return 503; }\n"
        << "location /once { return 302 /; } location /loop { return 302 /loop; }\n"
        << "location /secure { return 301 https://localhost:" << good_ << "/; }\n"
        << "location /named { return 200 $http_x_secret; } location /away { return 302 http://localhost:" << port
        << "/named; } }\n"
        << tls(good_, "good") << tls(other_, "other") << tls(expired_, "expired") << "}\n";
    os::ChildSpec spec;
    spec.argv = {"/usr/sbin/nginx", "-c", dir_ + "/conf", "-e", dir_ + "/error.log"};
    auto child = os::spawn(spec);
    if (!child) throw std::runtime_error(child.error().text);
    child_ = std::move(*child);
    World world;
    const Instant end = steady_now() + seconds(10);
    while (steady_now() < end && ::kill(child_.pid, 0) == 0 && os::alive(child_.incarnation)) {
      if (world.look(tcp_to(expired_)).seen.result == Result::success) return true;
    }
    os::reap(child_);  // a port was taken meanwhile
    return false;
  }

  char name_[32] = "/tmp/homeostat-nginx-XXXXXX";
  std::string dir_;
  std::uint16_t plain_ = 0;
  std::uint16_t good_ = 0;
  std::uint16_t other_ = 0;
  std::uint16_t expired_ = 0;
  os::Child child_;
};

class WithNginx : public testing::Test {
 protected:
  static void SetUpTestSuite() { nginx = new Nginx; }
  static void TearDownTestSuite() { delete nginx; }
  static Nginx* nginx;

  static HttpSpec https(std::uint16_t port, const std::string& ca, std::string host = "localhost") {
    HttpSpec spec = http_to(port);
    spec.tls = true;
    spec.host = std::move(host);
    spec.trust = probe::Trust{.ca_file = nginx->ca(ca), .server_name = {}};
    return spec;
  }

  World world;
};
Nginx* WithNginx::nginx = nullptr;

TEST_F(WithNginx, PlainWithReuse) {
  world.prober->prepare(0, http_to(nginx->plain()), {});
  for (int run = 0; run < 25; ++run) EXPECT_EQ(world.look(0).seen.result, Result::success);
  HttpSpec head = http_to(nginx->plain());
  head.method = "HEAD";
  world.prober->prepare(0, head, {});
  for (int run = 0; run < 5; ++run) EXPECT_EQ(world.look(0).seen.result, Result::success);
  EXPECT_EQ(world.look(http_to(nginx->plain(), "/broken")).seen.code, 503);
}

TEST_F(WithNginx, ACertificateThatIsGood) {
  const auto got = world.look(https(nginx->good(), "good"));
  EXPECT_EQ(got.seen.result, Result::success) << got.detail;
  EXPECT_EQ(world.look(https(nginx->good(), "good", "127.0.0.1")).seen.result, Result::success);
}

TEST_F(WithNginx, ACertificateForAnotherName) {
  const auto got = world.look(https(nginx->other(), "other"));
  EXPECT_EQ(got.seen.result, Result::failure);
  EXPECT_EQ(got.seen.reason, Reason::tls);
  EXPECT_NE(got.detail.find("ostname mismatch"), std::string::npos) << got.detail;
  HttpSpec named = https(nginx->other(), "other");
  named.trust->server_name = "other.example";
  EXPECT_EQ(world.look(named).seen.result, Result::success);
}

TEST_F(WithNginx, ACertificateThatHasExpired) {
  const auto got = world.look(https(nginx->expired(), "expired"));
  EXPECT_EQ(got.seen.result, Result::failure);
  EXPECT_EQ(got.seen.reason, Reason::tls);
  EXPECT_NE(got.detail.find("expired"), std::string::npos) << got.detail;
}

TEST_F(WithNginx, ACertificateThatNobodyTrusts) {
  HttpSpec spec = https(nginx->good(), "good");
  spec.trust.reset();
  EXPECT_EQ(world.look(spec).seen.reason, Reason::tls);
  spec.trust = probe::Trust{.ca_file = "/nowhere/ca.pem", .server_name = {}};
  const auto got = world.look(spec);
  EXPECT_EQ(got.seen.result, Result::unknown);
  EXPECT_EQ(got.seen.reason, Reason::internal);
}

TEST_F(WithNginx, TlsToAServerThatDoesNotSpeakIt) {
  EXPECT_EQ(world.look(https(nginx->plain(), "good")).seen.reason, Reason::tls);
  const DeadPort nobody;
  EXPECT_EQ(world.look(https(nobody.port(), "good")).seen.reason, Reason::refused);
  RawServer silent(nullptr);
  const auto got = world.look(https(silent.port(), "good"), {}, milliseconds(200));
  EXPECT_EQ(got.seen.result, Result::timeout);
  EXPECT_EQ(got.seen.reason, Reason::timed_out);
  RawServer closing([](int fd, int) { hang_up(fd, false); });
  EXPECT_EQ(world.look(https(closing.port(), "good")).seen.reason, Reason::reset);
}

TEST_F(WithNginx, PatternsOverBodies) {
  HttpSpec spec = http_to(nginx->plain());
  spec.matches = "ready \\d+$|ready \\d+\\n";
  EXPECT_EQ(world.look(spec).seen.result, Result::success);
  spec.matches = "^ready";
  EXPECT_EQ(world.look(spec).seen.reason, Reason::wrong_body);
  spec.matches = "(";
  EXPECT_EQ(world.look(spec).seen.reason, Reason::internal);
}

TEST_F(WithNginx, RedirectsAreFollowedOnlyWhenAskedFor) {
  HttpSpec spec = http_to(nginx->plain(), "/once");
  EXPECT_EQ(world.look(spec).seen.code, 302);
  spec.follow_redirects = 1;
  EXPECT_EQ(world.look(spec).seen.result, Result::success);
  spec.path = "/loop";
  spec.follow_redirects = 5;
  const auto looped = world.look(spec);
  EXPECT_EQ(looped.seen.reason, Reason::wrong_status);
  EXPECT_EQ(looped.seen.code, 302);
  spec.path = "/secure";
  spec.trust = probe::Trust{.ca_file = nginx->ca("good"), .server_name = {}};
  EXPECT_EQ(world.look(spec).seen.result, Result::success);
}

TEST_F(WithNginx, HeadersDoNotFollowARedirectToAnotherServer) {
  HttpSpec spec = http_to(nginx->plain(), "/named");
  spec.headers = {{"X-Secret", "hidden"}};
  spec.contains = "hidden";
  EXPECT_EQ(world.look(spec).seen.result, Result::success);
  spec.path = "/away";  // from 127.0.0.1 to localhost
  spec.follow_redirects = 1;
  EXPECT_EQ(world.look(spec).seen.reason, Reason::wrong_body);
}

TEST(Names, OneThatDoesNotResolveIsUnknown) {
  World world;
  HttpSpec spec = http_to(80);
  spec.host = "no-such-host.invalid";
  const auto got = world.look(spec, {}, seconds(10));
  EXPECT_EQ(got.seen.result, Result::unknown);
  EXPECT_EQ(got.seen.reason, Reason::no_resolver) << got.detail;
  TcpSpec tcp = tcp_to(80);
  tcp.host = "no-such-host.invalid";
  EXPECT_EQ(world.look(tcp, {}, seconds(10)).seen.reason, Reason::no_resolver);
}

TEST(Names, OneThatResolvesIsLookedAt) {
  RawServer server(always(std::string(kOk)));
  World world;
  HttpSpec spec = http_to(server.port());
  spec.host = "LOCALHOST";  // not the word we know ourselves: the resolver must answer
  const auto got = world.look(spec);
  EXPECT_EQ(got.seen.result, Result::success) << got.detail;
  const DeadPort nobody;
  spec.port = std::to_string(nobody.port());
  EXPECT_EQ(world.look(spec).seen.reason, Reason::refused);
  TcpSpec tcp = tcp_to(server.port(), "GET / HTTP/1.0\r\n\r\n", "HTTP/1.1 200");
  tcp.host = "LOCALHOST";
  EXPECT_EQ(world.look(tcp).seen.result, Result::success);
  tcp.expect = "SSH";
  EXPECT_EQ(world.look(tcp).seen.reason, Reason::wrong_body);
}

TEST(Names, ManyHungRunsDelayNoOther) {
  RawServer silent(nullptr);
  RawServer good(always(std::string(kOk)));
  World world;
  HttpSpec spec = http_to(silent.port());
  spec.matches = "ok";
  for (std::uint32_t i = 0; i < 500; ++i) {
    world.prober->prepare(i, spec, {});
    world.prober->start(i, 1, seconds(10), steady_now());
  }
  spec.port = std::to_string(good.port());
  world.prober->prepare(500, spec, {});
  for (int run = 0; run < 10; ++run) {
    const auto got = world.look(500);
    EXPECT_EQ(got.seen.result, Result::success) << got.detail;
    EXPECT_LT(got.seen.latency, seconds(2));
  }
  EXPECT_EQ(world.results[0].count, 0);
}

TEST(Redirects, WhereTheyLead) {
  HttpSpec from = http_to(8080, "/a/b?x=/y");
  from.headers = {{"Authorization", "secret"}};
  EXPECT_FALSE(redirected(from, 200, "/c"));
  EXPECT_FALSE(redirected(from, 302, ""));
  EXPECT_FALSE(redirected(from, 302, "ftp://host/"));
  EXPECT_FALSE(redirected(from, 302, "http://user@host/"));
  EXPECT_FALSE(redirected(from, 302, "http://host:99999/"));
  EXPECT_EQ(redirected(from, 302, "/c#d")->path, "/c");
  EXPECT_EQ(redirected(from, 302, "c")->path, "/a/c");
  EXPECT_EQ(redirected(from, 302, "/c")->headers.size(), 1U);
  const auto away = redirected(from, 308, "https://[::1]?q");
  EXPECT_EQ(away->host, "[::1]");
  EXPECT_EQ(away->port, "443");
  EXPECT_EQ(away->path, "/?q");
  EXPECT_TRUE(away->tls);
  EXPECT_TRUE(away->headers.empty());
  EXPECT_EQ(redirected(from, 302, "//other:81/z")->port, "81");
}

}  // namespace
}  // namespace homeostat::probe
