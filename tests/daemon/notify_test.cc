// How a human is told: a webhook, a chat and a mail server, each of which is away at first.
#include <fmt/format.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <filesystem>
#include <mutex>
#include <sstream>

#include "bad_servers.hpp"
#include "lab.hpp"
#include "os/child.hpp"

namespace homeostat::lab {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSecret = "its-own-secret";

/// A service that always fails and a notifier that is told.
struct Paged {
  Lab lab;
  void configure(const std::string& notifier) {
    lab.make_release("web", "v1", true);
    write_file(lab.dir() + "/secret", std::string(kSecret) + "\n");
    lab.configure({lab.service("web", {.run = fmt::format("releases: {}, release: v1", lab.releases("web")),
                                       .remediation = "[{ restart: { attempts: 1, verify_within: 2s } }, "
                                                      "{ escalate: { notify: page } }]"})},
                  fmt::format("breakers: {{ open_for: 1s, open_cap: 1s }}\nnotify: {{ page: {{ {} }} }}\n", notifier));
  }
  bool secret_shown() const {
    return (lab.log() + lab.records() + lab.cli({"status", "--json"}).out).find(kSecret) != std::string::npos;
  }
};

/// Takes what is posted; refuses so many at first.
class Receiver {
 public:
  Receiver(int port, int refuses) : refuses_(refuses), server_(port, [this](int fd) { take(fd); }) {}
  std::vector<std::string> all() {
    const std::lock_guard lock(mutex_);
    return taken_;
  }

 private:
  void take(int fd) {
    std::string request;
    std::array<char, 4096> buffer{};
    while (!whole(request)) {
      const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), 0);
      if (got <= 0) return;
      request.append(buffer.data(), static_cast<std::size_t>(got));
    }
    const std::lock_guard lock(mutex_);
    taken_.push_back(request);
    const bool refused = static_cast<int>(taken_.size()) <= refuses_;
    send_text(fd, fmt::format("HTTP/1.1 {}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                              refused ? "503 Later" : "200 OK"));
  }
  static bool whole(const std::string& request) {
    const std::size_t head = request.find("\r\n\r\n");
    const std::size_t length = request.find("Content-Length: ");
    return head != std::string::npos && length != std::string::npos &&
           request.size() >= head + 4 + std::strtoul(request.c_str() + length + 16, nullptr, 10);
  }

  const int refuses_;
  std::mutex mutex_;
  std::vector<std::string> taken_;
  BadServer server_;
};

json::object body_of(const std::string& request) {
  boost::system::error_code error;
  const json::value body = json::parse(request.substr(request.find("\r\n\r\n") + 4), error);
  return body.is_object() ? body.as_object() : json::object{};
}

TEST(DaemonNotify, AWebhookThatIsAwayGetsThePageAgainWithTheSameKey) {
  Paged paged;
  Receiver receiver(paged.lab.port(9), 1);
  paged.configure(
      fmt::format("webhook: {{ url: 'http://127.0.0.1:{}/hook', headers: {{ Authorization: {{ file: "
                  "{}/secret }} }} }}",
                  paged.lab.port(9), paged.lab.dir()));
  ASSERT_TRUE(paged.lab.start());
  ASSERT_TRUE(within(seconds(20), [&] { return receiver.all().size() >= 2; })) << paged.lab.records();
  const auto all = receiver.all();
  EXPECT_EQ(all[0].find("POST /hook HTTP/1.1\r\n"), 0U) << all[0];
  EXPECT_NE(all[0].find(fmt::format("Authorization: {}\r\n", kSecret)), std::string::npos) << all[0];
  const json::object first = body_of(all[0]);
  const json::object second = body_of(all[1]);
  EXPECT_EQ(text_at(first, "service"), "web");
  EXPECT_EQ(at(first, "attempt"), 1);
  EXPECT_EQ(at(second, "attempt"), 2);
  EXPECT_EQ(text_at(first, "key"), text_at(second, "key"));
  EXPECT_NE(all[1].find("Idempotency-Key: " + text_at(first, "key")), std::string::npos) << all[1];
  EXPECT_TRUE(eventually([&] { return paged.lab.records().find("it answered 200") != std::string::npos; }))
      << paged.lab.records();
  EXPECT_NE(paged.lab.records().find("it answered 503"), std::string::npos) << paged.lab.records();
  EXPECT_FALSE(paged.secret_shown());
}

TEST(DaemonNotify, ACommandGetsTheSameKeyWithEveryAttempt) {
  Paged paged;
  const std::string keys = paged.lab.dir() + "/keys";
  paged.configure(fmt::format(
      "exec: [/bin/sh, -c, 'echo \"$HOMEOSTAT_KEY\" \"$1\" >> {}; test $HOMEOSTAT_ATTEMPT -gt 1', x, '{{key}}']",
      keys));
  ASSERT_TRUE(paged.lab.start());
  ASSERT_TRUE(within(seconds(20), [&] { return read_file(keys).size() >= 132; })) << paged.lab.records();
  const std::string key = read_file(keys).substr(0, 32);
  EXPECT_EQ(key.find_first_not_of("0123456789abcdef"), std::string::npos) << key;
  EXPECT_EQ(read_file(keys), fmt::format("{0} {0}\n{0} {0}\n", key));
}

// What they said last differs from one to the next.
TEST(DaemonNotify, APageTellsWhatTheChecksSaidAndHasTheSameKeyWithEveryAttempt) {
  Lab lab;
  write_file(lab.dir() + "/secret", std::string(kSecret) + "\n");
  ServiceText text;
  text.checks = fmt::format(
      "alive: {{ startup_grace: 0s, interval: 250ms, exec: {{ command: [/bin/sh, -c, 'echo disk $(date +%N) is full: "
      "{}; "
      "exit 2'] }} }}",
      kSecret);
  text.remediation = fmt::format(
      "[{{ exec: {{ command: [/bin/sh, -c, 'echo \"$HOMEOSTAT_SUMMARY\" >> {}/cured'], verify_within: 2s }} }}, "
      "{{ escalate: {{ notify: page }} }}]",
      lab.dir());
  lab.configure({lab.service("web", text)},
                fmt::format("breakers: {{ open_for: 1s, open_cap: 1s }}\nnotify: {{ page: {{ exec: [/bin/sh, -c, 'echo "
                            "\"$HOMEOSTAT_KEY $HOMEOSTAT_SUMMARY\" >> {0}/pages; test $HOMEOSTAT_ATTEMPT -gt 1'] }}, "
                            "other: {{ webhook: {{ url: 'http://127.0.0.1:1/', headers: {{ Authorization: {{ file: "
                            "{0}/secret }} }} }} }} }}\n",
                            lab.dir()));
  ASSERT_TRUE(lab.start());
  const auto pages = [&] {
    std::istringstream file(read_file(lab.dir() + "/pages"));
    std::vector<std::string> all;
    for (std::string line; std::getline(file, line);) all.push_back(line);
    return all;
  };
  ASSERT_TRUE(within(seconds(30), [&] { return pages().size() >= 2; })) << lab.records();
  const std::string said = "web/0 is down: alive: exit status 2; 1 repairs tried. Last seen: alive: disk ";
  for (const std::string& page : pages()) {
    EXPECT_EQ(page.find(said), 33U) << page;
    EXPECT_NE(page.find(" is full: …"), std::string::npos) << page;
    EXPECT_EQ(page.substr(0, 33), pages()[0].substr(0, 33));
  }
  const std::string cured = read_file(lab.dir() + "/cured");
  EXPECT_EQ(cured.find("alive: exit status 2. Last seen: alive: disk "), 0U) << cured;
  EXPECT_EQ(cured.find(kSecret), std::string::npos) << cured;
}

TEST(DaemonNotify, AChatIsToldAndWhatSpeaksNoTlsIsNot) {
  Lab lab;
  lab.configure({lab.service("web")},
                fmt::format("notify: {{ chat: {{ slack: {{ url: 'http://127.0.0.1:{}/T0/B0' }} }} }}\n", lab.port(9)));
  Receiver receiver(lab.port(9), 0);
  const Finished told = lab.cli({"--config", lab.config_file(), "notify", "chat", "--message", "<!here> hello"});
  EXPECT_EQ(told.code, 0) << told.out << told.err;
  EXPECT_EQ(told.out, "chat was told: exit status 0: it answered 200\n");
  ASSERT_EQ(receiver.all().size(), 1U);
  EXPECT_EQ(text_at(body_of(receiver.all()[0]), "text").find("&lt;!here&gt; hello\n"), 0U);
  lab.configure({lab.service("web")}, fmt::format("notify: {{ chat: {{ slack: {{ url: 'https://127.0.0.1:{}/' }}, "
                                                  "timeout: 2s }} }}\n",
                                                  lab.port(9)));
  const Finished refused = lab.cli({"--config", lab.config_file(), "notify", "chat"});
  EXPECT_EQ(refused.code, 1) << "it speaks no TLS" << refused.out;
  EXPECT_EQ(lab.cli({"--config", lab.config_file(), "notify", "nobody"}).code, 2);
}

class MailServer {
 public:
  MailServer(const Lab& lab, int port, const std::vector<std::string>& security = {}) : maildir_(lab.dir() + "/mail") {
    os::ChildSpec spec;
    spec.argv = {HOMEOSTAT_MAIL_SERVER, std::to_string(port), maildir_};
    spec.argv.insert(spec.argv.end(), security.begin(), security.end());
    auto child = os::spawn(spec);
    if (child) child_ = std::move(*child);
  }
  MailServer(const MailServer&) = delete;
  MailServer& operator=(const MailServer&) = delete;
  ~MailServer() {
    if (child_.pid <= 0) return;
    ::kill(child_.pid, SIGKILL);
    os::reap(child_);
  }
  std::vector<std::string> mails() const {
    std::vector<std::string> all;
    std::error_code none;
    for (const auto& file : fs::directory_iterator(maildir_ + "/new", none)) all.push_back(read_file(file.path()));
    return all;
  }

 private:
  std::string maildir_;
  os::Child child_;
};

TEST(DaemonNotify, AMailServerThatComesLaterGetsTheMail) {
  Paged paged;
  const Lab& lab = paged.lab;
  ASSERT_EQ(run_program({"/usr/bin/openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                         "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", lab.dir() + "/key",
                         "-out", lab.dir() + "/certificate"})
                .code,
            0);
  paged.configure(
      fmt::format("email: {{ server: 'localhost:{0}', from: homeostat@example.org, to: [oncall@example.org], "
                  "user: homeostat, password: {{ file: {1}/secret }}, ca_file: {1}/certificate }}",
                  lab.port(9), lab.dir()));
  ASSERT_TRUE(paged.lab.start());
  ASSERT_TRUE(within(seconds(20), [&] { return lab.records().find("Failed to connect") != std::string::npos; }))
      << lab.records();
  const MailServer server(lab, lab.port(9), {lab.dir() + "/certificate", lab.dir() + "/key", "homeostat", kSecret});
  ASSERT_TRUE(within(seconds(30), [&] { return !server.mails().empty(); })) << lab.records();
  const std::string mail = server.mails().front();
  EXPECT_NE(mail.find("To: oncall@example.org"), std::string::npos) << mail;
  EXPECT_NE(mail.find("Subject: [homeostat] web: "), std::string::npos) << mail;
  EXPECT_TRUE(eventually([&] { return lab.records().find("the mail server has taken it") != std::string::npos; }));
  EXPECT_FALSE(paged.secret_shown());
}

TEST(DaemonNotify, WhoIsNotKnownToTheMailServerKeepsNobodyElseFromBeingTold) {
  Lab lab;
  const auto tell = [&](const std::string& to) {
    lab.configure({lab.service("web")},
                  fmt::format("notify: {{ page: {{ email: {{ server: '127.0.0.1:{}', from: homeostat@example.org, "
                              "to: [{}], encryption: none }} }} }}\n",
                              lab.port(9), to));
    return lab.cli({"--config", lab.config_file(), "notify", "page"});
  };
  const MailServer server(lab, lab.port(9));
  Finished told;
  EXPECT_TRUE(within(seconds(10), [&] {
    told = tell("gone@example.org, oncall@example.org, gone.too@example.org");
    return told.code == 0;
  })) << told.out;
  EXPECT_NE(told.out.find("the mail server has taken it, but not for gone@example.org (550 5.1.1 no such user), "
                          "gone.too@example.org (550 5.1.1 no such user)\n"),
            std::string::npos)
      << told.out;
  ASSERT_EQ(server.mails().size(), 1U);
  EXPECT_NE(server.mails()[0].find("X-RcptTo: oncall@example.org\n"), std::string::npos) << server.mails()[0];
  const Finished nobody = tell("gone@example.org");
  EXPECT_EQ(nobody.code, 1) << nobody.out;
  EXPECT_NE(nobody.out.find("550"), std::string::npos) << nobody.out;
  EXPECT_EQ(server.mails().size(), 1U);
}

}  // namespace
}  // namespace homeostat::lab
