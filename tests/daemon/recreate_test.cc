// A container is made anew of another image: Homeostat is killed after each thing it asks for, and the image is bad.
#include <algorithm>
#include <filesystem>

#include "contained.hpp"

namespace homeostat::lab {
namespace {

/// podman tells variables in any order.
std::vector<std::string> in_order(const json::value& setting) {
  if (!setting.is_array()) return {json::serialize(setting)};
  std::vector<std::string> all;
  for (const json::value& one : setting.get_array()) all.push_back(json::serialize(one));
  std::ranges::sort(all);
  return all;
}

class Recreated : public ContainerTest {
 protected:
  Recreated() : ContainerTest(HOMEOSTAT_IN_CONTAINERS) {}
  void begin_with(const Made& web) {
    silence_possible();
    begin({web}, {service("web", ", image: localhost/lab, release: '1'")});
    if (IsSkipped()) return;
    ASSERT_TRUE(healthy("web") && told("version 1 of web proved stable")) << lab_.log() << lab_.records();
  }
  bool deploy(const std::string& version) const {
    return lab_.post("deploy", {{"service", "web"}, {"version", version}}).status == 200;
  }
  std::string image() const { return text_at(containers_->inspect("web"), "Config.Image"); }
  /// All that there are, with their state: "web running".
  std::string containers() const {
    std::string all;
    const json::value list = json::parse(containers_->ask("GET", "/containers/json?all=1").body);
    for (const json::value& one : list.as_array()) {
      all += (all.empty() ? "" : ", ") + text_at(one, "Names.0").substr(1) + " " + text_at(one, "State");
    }
    return all;
  }
  std::string effects(const std::string& name) const { return read_file(lab_.dir() + "/effects/" + name); }
};

TEST_P(Recreated, KilledAfterEachStepItIsFinishedAndThereWereNeverTwo) {
  begin_with(
      {.name = "web", .command = fmt::format("httpd -f -p 127.0.0.1:{} || echo two >> /effects/two", lab_.port(0))});
  if (IsSkipped()) return;
  struct Step {
    const char* method;
    const char* what;
  };
  constexpr Step kSteps[]{
      {"POST", "name=web-homeostat-new "}, {"POST", "/stop?"},  {"POST", "rename?name=web-homeostat-old "},
      {"POST", "rename?name=web "},        {"POST", "/start "}, {"DELETE", "?force=1 "}};
  int version = 1;
  for (const Step& step : kSteps) {
    SCOPED_TRACE(step.what);
    silencer_->silence_after([&](const std::string& line) {
      // What is cleared away before the first step is named, what is removed after the last one is not.
      return line.starts_with(step.method) && line.find(step.what) != std::string::npos &&
             line.find("DELETE /containers/web") == std::string::npos;
    });
    version = 3 - version;
    ASSERT_TRUE(deploy(std::to_string(version)));
    ASSERT_TRUE(eventually([&] { return silencer_->silent(); })) << lab_.records();
    lab_.kill9();
    silencer_->speak();
    ASSERT_TRUE(lab_.start());
    EXPECT_TRUE(eventually([&] { return image() == fmt::format("localhost/lab:{}", version); })) << lab_.records();
    EXPECT_TRUE(eventually([&] { return containers() == "web running"; })) << containers() << lab_.records();
    EXPECT_TRUE(healthy("web")) << lab_.cli({"status"}).out << lab_.records();
    EXPECT_TRUE(eventually([&] { return at(lab_.service_status("web"), "operation").is_null(); })) << lab_.records();
  }
  EXPECT_EQ(effects("two"), "");
  EXPECT_TRUE(lab_.journal_is_good());
}

TEST_P(Recreated, ABadImageIsRolledBackWithTheSameSettings) {
  checks_ = fmt::format(", well: {{ file: {{ path: {}/effects/well }}, role: alive, interval: 100ms }}", lab_.dir());
  ladder_ = "[{ rollback: { when: changed_within 15m } }, { restart: {} }, { escalate: {} }]";
  begin_with({.name = "web",
              .command = "[ $VERSION = 1 ] && echo > /effects/well || rm /effects/well; exec sleep 100000",
              .more = R"("Labels":{"own":"yes"})"});
  if (IsSkipped()) return;
  const json::value before = containers_->inspect("web");
  ASSERT_TRUE(deploy("2"));
  EXPECT_TRUE(told("rollback of web/0 verified")) << lab_.records();
  EXPECT_TRUE(healthy("web")) << lab_.records();
  EXPECT_EQ(image(), "localhost/lab:1");
  EXPECT_EQ(starts("web"), 3U) << "it was never restarted on the bad one: " << lab_.records();
  EXPECT_EQ(containers(), "web running");
  EXPECT_TRUE(lab_.has_flag("web", "quarantined"));
  const json::value after = containers_->inspect("web");
  for (const char* setting : {"Config.Env", "Config.Cmd", "Config.Entrypoint", "Config.Labels", "Config.StopSignal",
                              "HostConfig.Binds", "HostConfig.NetworkMode", "HostConfig.RestartPolicy"}) {
    EXPECT_EQ(in_order(at(after, setting)), in_order(at(before, setting))) << setting;
  }
}

// podman tells a share of the processors in two ways and takes one of them; what a device may, it wants and never
// tells.
TEST_P(Recreated, WhatIsLimitedIsDeployedWithTheSameLimits) {
  begin_with({.name = "web",
              .limits = R"("NanoCpus":500000000,"Devices":[{"PathOnHost":"/dev/null",)"
                        R"("PathInContainer":"/dev/lab","CgroupPermissions":"rwm"}],)"});
  if (IsSkipped()) return;
  const json::value before = containers_->inspect("web");
  ASSERT_TRUE(deploy("2"));
  EXPECT_TRUE(eventually([&] { return image() == "localhost/lab:2" && containers() == "web running"; }))
      << containers() << lab_.records();
  EXPECT_TRUE(healthy("web")) << lab_.records();
  const json::value after = containers_->inspect("web");
  EXPECT_EQ(at(after, "HostConfig.NanoCpus"), 500000000);
  EXPECT_EQ(text_at(after, "HostConfig.Devices.0.PathInContainer"), "/dev/lab");
  for (const char* setting : {"HostConfig.NanoCpus", "HostConfig.CpuPeriod", "HostConfig.CpuQuota"}) {
    EXPECT_EQ(at(after, setting), at(before, setting)) << setting;
  }
}

TEST_P(Recreated, EachVolumeStaysWhereItWas) {
  begin_with({.name = "web",
              .more = R"("Volumes":{"/data":{}})",
              .binds = fmt::format(R"(,"{}/effects:/data-backup")", lab_.dir()),
              .limits = R"("Mounts":[{"Type":"volume","Source":"labvol","Target":"/vol"}],)"});
  if (IsSkipped()) return;
  const auto volumes = [&] {
    std::map<std::string, std::string> all;
    const json::value inspected = containers_->inspect("web");
    for (const json::value& one : at(inspected, "Mounts").as_array())
      all[text_at(one, "Destination")] = text_at(one, "Name");
    return all;
  };
  const auto before = volumes();
  EXPECT_EQ(before.size(), 4U);
  EXPECT_NE(before.at("/data"), "");
  ASSERT_TRUE(deploy("2"));
  EXPECT_TRUE(eventually([&] { return image() == "localhost/lab:2" && containers() == "web running"; }))
      << containers() << lab_.records();
  EXPECT_EQ(volumes(), before);
}

TEST_P(Recreated, WhatHasSecretsOfPodmansIsNotMadeAnewWithoutThem) {
  if (kind() != "podman") return;
  begin_with({"web"});
  if (IsSkipped()) return;
  EXPECT_EQ(containers_->ask("POST", "/v4.0.0/libpod/secrets/create?name=key", "its own").status, 200);
  containers_->ask("DELETE", "/containers/web?force=1");
  ASSERT_TRUE(told("stopped by others, by podman")) << "what is moved is the run that Homeostat has seen";
  const Answer made = containers_->ask(
      "POST", "/v4.0.0/libpod/containers/create",
      fmt::format(
          R"({{"name":"web","image":"localhost/lab:1","entrypoint":["/bin/sh","-c"],"command":["sleep 100000"],)"
          R"("env":{{"HOMEOSTAT_LAB":"{}","HOMEOSTAT_SERVICE":"web","HOMEOSTAT_INSTANCE":"0"}},)"
          R"("netns":{{"nsmode":"host"}},"stop_signal":9,"secrets":[{{"Source":"key"}}]}})",
          lab_.dir()));
  ASSERT_EQ(made.status, 201) << made.body;
  person("start", "web");
  ASSERT_TRUE(told("started by others, by podman") && healthy("web")) << lab_.records();
  const Finished said = lab_.cli({"deploy", "web", "2"});
  EXPECT_NE(said.out.find("secrets of podman's"), std::string::npos) << said.out << said.err;
  EXPECT_EQ(image(), "localhost/lab:1");
}

TEST_P(Recreated, AnImageThatWasProvedGivesWayToTheOneThatTheLadderNames) {
  checks_ = fmt::format(", well: {{ file: {{ path: {}/effects/well }}, role: alive, interval: 100ms }}", lab_.dir());
  ladder_ = "[{ rollback: { to: 2 } }, { escalate: {} }]";
  begin_with({.name = "web", .command = "echo > /effects/well; exec sleep 100000"});
  if (IsSkipped()) return;
  ASSERT_TRUE(eventually([&] { return effects("well") == "\n"; }));
  std::filesystem::remove(lab_.dir() + "/effects/well");
  EXPECT_TRUE(told("rollback of web/0 verified")) << lab_.records();
  EXPECT_EQ(image(), "localhost/lab:2");
  EXPECT_EQ(containers(), "web running");
  EXPECT_FALSE(lab_.has_flag("web", "quarantined"));
}

TEST_P(Recreated, WhatCannotBeStartedGivesWayToWhatRanBefore) {
  begin_with({"web"});
  if (IsSkipped()) return;
  ASSERT_TRUE(deploy("empty"));
  EXPECT_TRUE(eventually([&] { return starts("web") == 2; })) << lab_.records();
  EXPECT_TRUE(told("stopped: web/0: ")) << lab_.records();
  EXPECT_TRUE(healthy("web")) << lab_.records();
  EXPECT_EQ(image(), "localhost/lab:1");
  EXPECT_EQ(containers(), "web running");
  EXPECT_EQ(starts("web"), 2U) << lab_.records();
}

/// Two versions side by side: one container more than are needed, made like the others.
TEST_P(Recreated, ANewImageTakesOverInStagesAndOneThatCannotStartGoesBack) {
  const std::string rollout =
      ", instances: 2, rollout: { surge: 1, stages: [{ traffic: 50%, bake: 300ms, approval: true }] }";
  begin({{"web-0"}, {"web-1"}}, {service("web", ", image: localhost/lab, release: '1'", rollout, "web-{instance}")});
  if (IsSkipped()) return;
  ASSERT_TRUE(healthy("web") && told("version 1 of web proved stable")) << lab_.log() << lab_.records();
  const auto running = [&](const std::string& version) {
    const json::value list = json::parse(containers_->ask("GET", "/containers/json").body);
    return std::ranges::count_if(list.as_array(), [&](const json::value& one) {
      return text_at(one, "Image") == "localhost/lab:" + version && text_at(one, "State") == "running";
    });
  };
  ASSERT_TRUE(deploy("2"));
  EXPECT_TRUE(eventually([&] { return running("1") >= 1 && running("2") >= 1 && running("1") + running("2") >= 2; }))
      << containers() << lab_.records();
  EXPECT_TRUE(eventually([&] { return lab_.cli({"rollout", "approve", "web"}).code == 0; })) << lab_.records();
  EXPECT_TRUE(eventually([&] { return running("2") == 2 && running("1") == 0; })) << containers() << lab_.records();
  EXPECT_TRUE(told("version 2 of web proved stable")) << lab_.records();
  ASSERT_TRUE(deploy("empty"));
  EXPECT_TRUE(told("version empty of web is quarantined")) << lab_.records();
  EXPECT_TRUE(eventually([&] { return running("2") == 2 && running("empty") == 0; })) << containers();
  EXPECT_TRUE(healthy("web")) << lab_.records();
}

INSTANTIATE_TEST_SUITE_P(By, Recreated, ::testing::Values("podman", "docker"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace homeostat::lab
