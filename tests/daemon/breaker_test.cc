// Commands and notifiers that fail again and again are left alone, also over a crash of the daemon, and heal.
#include <fmt/format.h>

#include <chrono>

#include "lab.hpp"

namespace homeostat::lab {
namespace {

constexpr const char* kRestart = "exec:legacy/restart";
constexpr const char* kPage = "notify:page";

/// A service by commands and a notifier; both fail until the file `fixed` is there.
class DaemonBreaker : public ::testing::Test {
 protected:
  void configure(const std::string& breakers) {
    const std::string restart = fmt::format("echo x >> {0}/tries; test -e {0}/fixed && touch {0}/well", lab_.dir());
    const std::string page = fmt::format("test -e {0}/fixed && echo x >> {0}/pages", lab_.dir());
    const std::string legacy = fmt::format(
        "  legacy: {{ run: {{ exec: {{ restart: [/bin/sh, -c, '{}'], idempotent: true }} }},"
        " checks: {{ alive: {{ file: {{ path: {}/well }} }} }},"
        " remediation: [{{ restart: {{ attempts: 1000, verify_within: 2s }} }}],"
        " backoff: {{ initial: 50ms, max: 100ms }}, budget: {{ max_actions: 1000, per: 10m }} }}\n",
        restart, lab_.dir());
    lab_.configure({legacy, lab_.service("other", {.remediation = "[{ escalate: { notify: page } }]"})},
                   fmt::format("breakers: {{ failures: 2, {} }}\nnotify: {{ page: {{ exec: [/bin/sh, -c, '{}'] }} }}\n",
                               breakers, page));
  }
  void break_both() {
    ASSERT_TRUE(lab_.start());
    ASSERT_TRUE(eventually([&] { return lab_.health("other") == "healthy"; }));
    ASSERT_TRUE(lab_.break_instance(0, "500"));
  }
  json::value breaker(const std::string& name) const {
    const json::value all = at(lab_.status(), "breakers");
    if (!all.is_array()) return nullptr;
    for (const json::value& one : all.get_array()) {
      if (text_at(one, "name") == name) return one;
    }
    return nullptr;
  }
  std::string state(const std::string& name) const { return text_at(breaker(name), "state"); }
  bool both(const std::string& wanted) const {
    return within(seconds(40), [&] { return state(kRestart) == wanted && state(kPage) == wanted; });
  }
  bool recorded(const std::string& words) const {
    return within(seconds(40), [&] { return lab_.records().find(words) != std::string::npos; });
  }

  Lab lab_;
};

TEST_F(DaemonBreaker, AnOpenOneSurvivesACrashOfTheDaemon) {
  configure("open_for: 10m, open_cap: 10m");
  break_both();
  ASSERT_TRUE(both("open"));
  const std::string tries = read_file(lab_.dir() + "/tries");
  EXPECT_EQ(tries, "x\nx\n") << "left alone after two failures";
  ASSERT_TRUE(eventually([&] { return lab_.hold("legacy") == "breaker"; }));
  const std::string probe_at = text_at(breaker(kRestart), "probe_at");
  const std::string shown = lab_.cli({"status"}).out;
  for (const char* words : {kRestart, kPage, "2 in a row", "2 tries, the next at "}) {
    EXPECT_NE(shown.find(words), std::string::npos) << words << " in\n" << shown;
  }
  const std::string why = lab_.cli({"why", "legacy"}).out;
  EXPECT_NE(why.find("gate breaker holds it since"), std::string::npos) << why;

  lab_.kill9();
  const std::string journal = lab_.cli({"status", "--json"}).out;
  EXPECT_NE(journal.find(kRestart), std::string::npos) << "the journal alone knows it: " << journal;
  ASSERT_TRUE(lab_.start());
  EXPECT_EQ(state(kRestart), "open");
  EXPECT_EQ(state(kPage), "open");
  EXPECT_EQ(text_at(breaker(kRestart), "probe_at"), probe_at);
  EXPECT_EQ(lab_.hold("legacy"), "breaker");
  // Its checks have found it failing again, and still nothing is tried.
  ASSERT_TRUE(eventually([&] { return lab_.health("legacy") == "unhealthy"; }));
  EXPECT_EQ(read_file(lab_.dir() + "/tries"), tries);
  EXPECT_FALSE(lab_.escalations().empty()) << "who could not be told is not forgotten";
}

TEST_F(DaemonBreaker, HealsWhenWhatFailedWorksAgain) {
  configure("open_for: 1s");
  break_both();
  ASSERT_TRUE(recorded("breaker exec:legacy/restart opens after 2 failures in a row"));
  ASSERT_TRUE(recorded("breaker notify:page opens after 2 failures in a row"));
  write_file(lab_.dir() + "/fixed", "");
  EXPECT_TRUE(both("closed"));
  EXPECT_TRUE(eventually([&] { return lab_.health("legacy") == "healthy"; }));
  EXPECT_NE(read_file(lab_.dir() + "/pages"), "") << "somebody was called after all";
  EXPECT_TRUE(recorded("breaker exec:legacy/restart closes: it works again"));
}

}  // namespace
}  // namespace homeostat::lab
