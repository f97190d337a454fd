// The notifiers: what they become, and each mistake at its place.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "config/load.hpp"
#include "config/warnings.hpp"

namespace homeostat::config {
namespace {

std::string with(const std::string& notifier) {
  return "homeostat: 1\nservices: { a: { run: { exec: { restart: [x], status: [x] } } } }\nnotify:\n  oncall: { " +
         notifier + " }\n";
}

std::optional<NotifierSpec> read(const std::string& notifier) {
  const auto config = load_text(with(notifier), "/etc/h.yaml");
  if (config) return config->notifiers.at(0);
  ADD_FAILURE() << render(config.error().front());
  return std::nullopt;
}

std::string problem_of(const std::string& notifier) {
  const auto config = load_text(with(notifier), "h.yaml");
  return config ? "" : render(config.error().front());
}

TEST(Notifier, AWebhookHasItsSecretFromAFile) {
  const auto folder = std::filesystem::temp_directory_path() / ("homeostat-notify-" + std::to_string(::getpid()));
  std::filesystem::create_directory(folder);
  std::ofstream(folder / "token") << "Bearer abc\n";
  const auto read_hook =
      read("webhook: { url: 'https://h.example/x', headers: { Authorization: { file: " + (folder / "token").string() +
           " } } }, timeout: 10s");
  std::filesystem::remove_all(folder);
  ASSERT_TRUE(read_hook && read_hook->sender);
  const auto& hook = std::get<notify::Webhook>(read_hook->sender->to);
  EXPECT_EQ(hook.url, "https://h.example/x");
  EXPECT_EQ(hook.headers.at(0).second, "Bearer abc");
  EXPECT_EQ(read_hook->command.timeout, std::chrono::seconds(10));
  EXPECT_EQ(read_hook->sender->timeout, std::chrono::seconds(9)) << "it says itself that time is up";
}

TEST(Notifier, AMailServerHasTheUsualPortOfItsEncryption) {
  const std::string people = ", from: a@b, to: [c@d]";
  const auto server = [&](const std::string& text) {
    const auto one = read("email: { server: " + text + people + " }");
    return one ? std::get<notify::Email>(one->sender->to).server : "";
  };
  EXPECT_EQ(server("mx"), "mx:587");
  EXPECT_EQ(server("mx, encryption: tls"), "mx:465");
  EXPECT_EQ(server("mx, encryption: none"), "mx:25");
  EXPECT_EQ(server("'mx:2525'"), "mx:2525");
  EXPECT_EQ(server("'[::1]'"), "[::1]:587");
}

TEST(Notifier, EachMistakeIsReportedAtItsPlace) {
  const std::string mail = "from: a@b, to: [c@d]";
  const std::vector<std::pair<std::string, std::string>> cases{
      {"timeout: 1s", "h.yaml:4:11: a way to notify is missing; known: exec, webhook, slack, email"},
      {"webhook: { url: 'ftp://h/' }", "h.yaml:4:29: not a usable address: it must begin with http:// or https://"},
      {"webhook: { url: 'https://u:p@h/' }", "h.yaml:4:29: not a usable address: a name and password"},
      {"webhook: { url: 'https://h/{summary}' }", "h.yaml:4:29: nothing is filled into this address"},
      {"webhook: { url: 'http://h/', headers: { A: b } }", "h.yaml:4:51: headers would go to h for everybody to read"},
      {"webhook: { url: 'http://h/', ca_file: /x }", "h.yaml:4:51: `ca_file` is given but the address is not https"},
      {"slack: { url: 'https://h/', headers: { A: b } }", "h.yaml:4:41: unknown key `headers`"},
      {"email: { server: 'mx:0', " + mail + " }", "h.yaml:4:30: `mx:0` is no server"},
      {"email: { server: mx, from: a, to: [c@d] }", "h.yaml:4:40: `a` is no mail address"},
      {"email: { server: mx, from: a@b, to: ['c@d>'] }", "h.yaml:4:50: `c@d>` is no mail address"},
      {"email: { server: mx, from: a@b, to: [] }", "h.yaml:4:49: at least one mail address is needed"},
      {"email: { server: mx, user: u, " + mail + " }", "h.yaml:4:20: `user` and `password` are given together"},
      {"email: { server: mx, encryption: none, user: u, password: p, " + mail + " }",
       "h.yaml:4:46: the password would go out for everybody to read"},
  };
  for (const auto& [notifier, expected] : cases) {
    EXPECT_EQ(problem_of(notifier).substr(0, expected.size()), expected) << problem_of(notifier);
  }
}

std::vector<Problem> warnings(const std::string& names) {
  const auto config = load_text(
      "homeostat: 1\nservices: { a: { run: { exec: { restart: [x], status: [x] } } } }\nnotify:\n  " + names, "h.yaml");
  return config ? warnings_of(*config) : std::vector<Problem>(2);
}

TEST(Notifier, OfSeveralOneIsTheUsual) {
  const auto found = warnings("{ mail: { exec: [x] }, chat: { exec: [y] } }\n");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(render(found[0]).substr(0, 69), "h.yaml:4:3: none of these notifiers is called `default` or `oncall`: ");
  EXPECT_TRUE(warnings("{ mail: { exec: [x] } }\n").empty());
  EXPECT_TRUE(warnings("{ mail: { exec: [x] }, oncall: { exec: [y] } }\n").empty());
}

}  // namespace
}  // namespace homeostat::config
