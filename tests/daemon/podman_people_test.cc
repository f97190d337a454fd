// What people do to containers of a real podman at odd moments.
#include "contained.hpp"

namespace homeostat::lab {
namespace {

class PodmanPeople : public ContainerTest {
 protected:
  PodmanPeople() : ContainerTest(HOMEOSTAT_IN_CONTAINERS) {}

  bool is(const std::string& name, const std::string& status) const {
    return eventually([&] { return text_at(containers_->inspect(name), "State.Status") == status; });
  }
};

TEST_P(PodmanPeople, WhatIsPausedIsLeftAloneAndWhatIsRestartedIsAnotherRun) {
  begin({{"web"}});
  if (IsSkipped()) return;
  ASSERT_TRUE(healthy("web")) << lab_.log() << lab_.records();
  person("pause", "web");
  EXPECT_TRUE(eventually([&] {
    return lab_.cli({"status"}).out.find("web/0 is left alone: the container is paused") != std::string::npos;
  })) << lab_.cli({"status"}).out;
  person("unpause", "web");
  EXPECT_TRUE(healthy("web")) << lab_.records();
  const std::uint64_t before = starts("web");
  person("restart", "web");
  ASSERT_TRUE(started("web", before + 1));
  EXPECT_TRUE(healthy("web"));
  EXPECT_EQ(lab_.records().find("incident"), std::string::npos) << lab_.records();
  EXPECT_EQ(lab_.records().find("stopped by others"), std::string::npos) << lab_.records();
  EXPECT_TRUE(repaired("web"));
}

TEST_P(PodmanPeople, WhatIsTakenAwayStaysAwayAndWhatIsMadeAnewIsLookedAfter) {
  begin({{"web"}, {"named"}, {"other"}});
  if (IsSkipped()) return;
  ASSERT_TRUE(healthy("web") && healthy("named") && healthy("other")) << lab_.log() << lab_.records();
  containers_->ask("POST", "/containers/named/rename?name=otherwise");
  containers_->ask("DELETE", "/containers/web?force=1");
  for (const char* name : {"web", "named"})
    EXPECT_TRUE(told(std::string(name) + " is to stay stopped (by others, by podman)")) << lab_.records();
  EXPECT_TRUE(repaired("other")) << "what is gone had all this time to come back";
  EXPECT_EQ(containers_->ask("GET", "/containers/web/json").status, 404);
  EXPECT_EQ(starts("web") + starts("named"), 2U) << lab_.records();

  ASSERT_TRUE(containers_->make({"web"}, 2)) << containers_->log();
  person("start", "web");
  EXPECT_TRUE(told("web is to run (by others, by podman)")) << lab_.records();
  EXPECT_TRUE(repaired("web")) << lab_.records();
  EXPECT_EQ(text_at(containers_->inspect("web"), "Config.Image"), "localhost/lab:2");
}

TEST_P(PodmanPeople, WhatIsNotAnsweredIsNotRepeated) {
  silence_possible();
  begin({{"web"}}, {service("web", ", timeout: 4s")});
  if (IsSkipped()) return;
  ASSERT_TRUE(healthy("web")) << lab_.log() << lab_.records();
  silencer_->silence_after([](const std::string& line) { return line.find("/restart?") != std::string::npos; });
  lab_.post("restart", {{"service", "web"}});
  ASSERT_TRUE(eventually([&] { return silencer_->silent(); })) << lab_.records();
  EXPECT_TRUE(eventually([&] { return lab_.has_flag("web", "locked"); })) << lab_.records();
  EXPECT_TRUE(started("web", 2));
  silencer_->speak();
  // It is asked less often the longer it has been silent.
  EXPECT_TRUE(within(seconds(30), [&] { return !lab_.has_flag("web", "locked"); })) << "seen well: " << lab_.records();
  EXPECT_TRUE(healthy("web"));
  EXPECT_EQ(starts("web"), 2U) << lab_.records();
  EXPECT_TRUE(repaired("web"));
}

// The restart that its checks ask for meanwhile is refused: it is being stopped.
TEST_P(PodmanPeople, WhatFailsItsChecksWhileItIsStoppedStaysStopped) {
  checks_ = fmt::format(
      ", own: {{ exec: [/bin/sh, -c, 'test -e {}/effects/ok || exit 2'], interval: 100ms, failure_threshold: 1 }}",
      lab_.dir());
  begin({{.name = "web",
          .command = "trap 'rm /effects/ok; sleep 3; exit 0' TERM; echo yes > /effects/ok; while :; do sleep 0.1; done",
          .stop = R"("StopSignal":"SIGTERM")"}});
  if (IsSkipped()) return;
  ASSERT_TRUE(told("start of web/0 verified")) << lab_.log() << lab_.records();
  person("stop", "web");
  EXPECT_TRUE(told("web is to stay stopped (by others, by podman)")) << lab_.records();
  EXPECT_EQ(starts("web"), 1U) << lab_.records();
}

INSTANTIATE_TEST_SUITE_P(By, PodmanPeople, ::testing::Values("podman"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace homeostat::lab
