// A lab with one service and somebody who is called: each call leaves a line in the file `pages`.
#pragma once

#include <fmt/format.h>

#include <csignal>

#include "lab.hpp"

namespace homeostat::lab {

struct One {
  Lab lab;
  One() {
    lab.configure(
        {lab.service("web")},
        fmt::format("notify: {{ page: {{ exec: [/bin/sh, -c, 'echo \"$HOMEOSTAT_SUMMARY\" >> {}/pages'] }} }}",
                    lab.dir()));
  }
  bool healthy() const {
    return eventually([&] { return lab.health("web") == "healthy"; });
  }
  /// A life of the daemon that ended by kill -9.
  [[nodiscard]] bool lived() {
    if (!lab.start() || !healthy()) return false;
    lab.kill9();
    return true;
  }
  bool called(const std::string& words) const {
    return eventually([&] { return read_file(lab.dir() + "/pages").find(words) != std::string::npos; });
  }

  /// Observe only: said in the status with its reason, somebody is called, and what crashes is seen but left dead.
  void expect_observing(const std::string& reason) const {
    const std::size_t starts = lab.starts().size();
    EXPECT_TRUE(eventually([&] { return text_at(lab.status(), "engine.journal") == "observe only"; }));
    const std::string said = text_at(lab.status(), "engine.observe_only");
    EXPECT_NE(said.find(reason), std::string::npos) << said;
    EXPECT_NE(lab.cli({"status"}).out.find("observe only"), std::string::npos) << lab.cli({"status"}).out;
    EXPECT_TRUE(called(reason)) << "nobody was called: " << read_file(lab.dir() + "/pages");
    const Answer refused = lab.post("pause", {{"service", "web"}, {"for", "1s"}});
    EXPECT_EQ(refused.status, 503) << "what cannot be recorded must not be confirmed: " << refused.body;
    if (const pid_t pid = lab.pid("web/0"); pid != 0) send_signal(pid, SIGKILL);
    EXPECT_TRUE(eventually([&] { return lab.health("web") == "unhealthy"; })) << "it goes on looking";
    EXPECT_EQ(lab.starts().size(), starts) << "something was repaired";
  }
  /// The way back: the cause is gone, Homeostat is started again, and repairs what it found dead.
  void expect_back() {
    const std::size_t starts = lab.starts().size();
    lab.signal(SIGTERM);
    EXPECT_EQ(lab.wait_exit(), 0);
    EXPECT_TRUE(lab.journal_is_good()) << lab.cli({"journal", "verify"}).out;
    ASSERT_TRUE(lab.start());
    EXPECT_TRUE(healthy());
    EXPECT_EQ(text_at(lab.status(), "engine.observe_only"), "");
    EXPECT_EQ(lab.starts().size(), starts + 1);
  }
};

}  // namespace homeostat::lab
