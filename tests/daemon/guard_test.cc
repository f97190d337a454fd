// Maintenance by hand and by the clock on the wall, approvals, budgets of groups: what holds before anything is done.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <csignal>

#include "lab.hpp"

namespace homeostat::lab {
namespace {

/// Time passes for the daemon: a crash of another service is repaired from beginning to end.
void let_another_be_repaired(const Lab& lab) {
  const pid_t before = lab.pid("other/0");
  ASSERT_NE(before, 0);
  send_signal(before, SIGKILL);
  ASSERT_TRUE(eventually([&] { return lab.pid("other/0") != before && lab.serves(1); }));
}

struct Two {
  Lab lab;
  void configure(const std::string& more = "", const std::string& beside = "") const {
    lab.configure({lab.service("web", {.more = more}), lab.service("other", {.first_port = 1})}, beside);
  }
  [[nodiscard]] bool start() {
    return lab.start() &&
           eventually([&] { return lab.health("web") == "healthy" && lab.health("other") == "healthy"; });
  }
};

TEST(DaemonMaintenance, ByHandOutlivesTheDaemonAndEndsWithFreshChecks) {
  Two two;
  two.configure();
  Lab& lab = two.lab;
  ASSERT_TRUE(two.start());
  EXPECT_NE(lab.cli({"maintenance"}).out.find("nothing is in maintenance"), std::string::npos);
  const Finished begin = lab.cli({"maintenance", "web", "--for", "1h", "--reason", "new disk"});
  ASSERT_EQ(begin.code, 0) << begin.err;
  EXPECT_EQ(begin.out, "web is in maintenance for 1h\n");
  lab.kill9();
  ASSERT_TRUE(lab.start());
  ASSERT_TRUE(eventually([&] { return lab.health("other") == "healthy" && lab.pid("web/0") != 0; }));
  send_signal([&] { return lab.pid("web/0"); }, SIGKILL);
  EXPECT_TRUE(eventually([&] { return lab.hold("web") == "maintenance"; }));
  let_another_be_repaired(lab);
  EXPECT_EQ(lab.pid("web/0"), 0) << "it was repaired in maintenance";
  EXPECT_TRUE(lab.has_flag("web", "maintenance"));
  EXPECT_FALSE(lab.has_flag("other", "maintenance"));
  const std::string list = lab.cli({"maintenance", "list"}).out;
  EXPECT_NE(list.find("new disk"), std::string::npos) << list;
  EXPECT_NE(lab.cli({"status"}).out.find("web in maintenance until"), std::string::npos);
  EXPECT_NE(lab.cli({"why", "web"}).out.find("homeostat maintenance end"), std::string::npos);
  EXPECT_EQ(lab.cli({"maintenance", "end", "web"}).code, 0);
  EXPECT_TRUE(eventually([&] { return lab.serves(0) && lab.health("web") == "healthy"; }));
  EXPECT_FALSE(lab.has_flag("web", "maintenance"));
  EXPECT_EQ(lab.cli({"maintenance", "end", "web"}).code, 4) << "there is none any more";
  EXPECT_NE(lab.records().find("maintenance of web"), std::string::npos);
}

TEST(DaemonMaintenance, SaysWhatIsMissing) {
  Two two;
  two.configure();
  ASSERT_TRUE(two.start());
  EXPECT_EQ(two.lab.cli({"maintenance", "web"}).code, 2) << "for how long?";
  EXPECT_EQ(two.lab.cli({"maintenance", "--for", "1h"}).code, 2) << "of what?";
  EXPECT_EQ(two.lab.cli({"maintenance", "web", "--all", "--for", "1h"}).code, 2);
  EXPECT_EQ(two.lab.cli({"maintenance", "end"}).code, 2);
  const Finished unknown = two.lab.cli({"maintenance", "wbe", "--for", "1h"});
  EXPECT_EQ(unknown.code, 4);
  EXPECT_NE(unknown.err.find("did you mean `web`?"), std::string::npos) << unknown.err;
  EXPECT_EQ(two.lab.cli({"maintenance", "--all", "--for", "1h"}).code, 0);
  EXPECT_TRUE(two.lab.has_flag("web", "maintenance") && two.lab.has_flag("other", "maintenance"));
  EXPECT_EQ(two.lab.cli({"maintenance", "end", "--all"}).code, 0);
  EXPECT_FALSE(two.lab.has_flag("web", "maintenance"));
}

/// Five minutes around now by the clock on a wall in India, where it is half an hour apart from most.
std::string window_now() {
  const std::time_t now = std::time(nullptr) + 5 * 3600 + 1800;
  return fmt::format("maintenance: [{{ from: {:%Y-%m-%d %H:%M}, to: {:%Y-%m-%d %H:%M}, zone: Asia/Kolkata }}]",
                     fmt::gmtime(now - 300), fmt::gmtime(now + 300));
}

TEST(DaemonMaintenance, AWindowOfTheConfigurationHoldsAtOnceAndIsTakenBackByAReload) {
  Two two;
  two.configure(window_now());
  Lab& lab = two.lab;
  ASSERT_TRUE(lab.start());
  ASSERT_TRUE(eventually([&] { return lab.health("other") == "healthy"; }));
  EXPECT_TRUE(eventually([&] { return lab.has_flag("web", "maintenance"); }));
  EXPECT_EQ(lab.pid("web/0"), 0) << "it was started in maintenance";
  EXPECT_EQ(lab.cli({"start", "web"}).code, 0) << "what somebody commands is done";
  ASSERT_TRUE(eventually([&] { return lab.health("web") == "healthy"; }));
  send_signal([&] { return lab.pid("web/0"); }, SIGKILL);
  EXPECT_TRUE(eventually([&] { return lab.hold("web") == "maintenance"; }));
  let_another_be_repaired(lab);
  EXPECT_EQ(lab.pid("web/0"), 0);
  two.configure();
  ASSERT_EQ(lab.cli({"reload"}).code, 0);
  EXPECT_TRUE(eventually([&] { return lab.serves(0) && !lab.has_flag("web", "maintenance"); }));
}

TEST(DaemonApproval, ExpiresIntoACallAndIsTakenBackWhenItIsWell) {
  Two two;
  two.configure("mode: approve", "");
  Lab& lab = two.lab;
  ASSERT_TRUE(two.start());
  const auto asked = [&] {
    const json::value all = at(lab.status(), "approvals");
    return all.is_array() ? all.as_array().size() : 0;
  };
  ASSERT_TRUE(lab.break_instance(0, "500"));
  ASSERT_TRUE(eventually([&] { return asked() == 1; }));
  ASSERT_TRUE(lab.break_instance(0, "none"));
  EXPECT_TRUE(eventually([&] { return asked() == 0 && lab.health("web") == "healthy"; }));
  EXPECT_NE(lab.records().find("recovered by itself"), std::string::npos);
  EXPECT_EQ(lab.starts().size(), 2U) << "somebody has restarted it";
}

TEST(DaemonBudget, OfAGroupIsSharedAndOutlivesTheDaemon) {
  Lab lab;
  const auto service = [&](const std::string& name, int port) {
    return lab.service(name, {.first_port = port, .more = "group: pair"});
  };
  lab.configure({service("web", 0), service("other", 1)});
  std::string text = read_file(lab.config_file());
  const std::string fleet = "fleet: { max_actions: 1000, per: 10m }";
  text.replace(text.find(fleet), fleet.size(), fleet + ", groups: { pair: { max_actions: 1, per: 10m } }");
  write_file(lab.config_file(), text);
  ASSERT_TRUE(lab.start());
  const auto healthy = [&](const std::string& name) { return lab.health(name) == "healthy"; };
  ASSERT_TRUE(eventually([&] { return healthy("web") && healthy("other"); }));
  ASSERT_TRUE(lab.break_instance(0, "500"));
  ASSERT_TRUE(eventually([&] { return lab.starts().size() == 3 && healthy("web"); }));
  lab.kill9();
  ASSERT_TRUE(lab.start());
  ASSERT_TRUE(eventually([&] { return healthy("web") && healthy("other"); }));
  ASSERT_TRUE(lab.break_instance(1, "500"));
  EXPECT_TRUE(eventually([&] { return lab.hold("other") == "budget"; }));
  const std::string why = lab.cli({"why", "other"}).out;
  EXPECT_NE(why.find("1 of 1 actions of the budget of group pair are used"), std::string::npos) << why;
  EXPECT_NE(why.find("budget of the group pair: 1 of 1"), std::string::npos) << why;
  EXPECT_EQ(lab.starts().size(), 3U);
}

}  // namespace
}  // namespace homeostat::lab
