// What docker and podman tell, read; and the settings of a container as those of another.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <csignal>

#include "runtime/container_copy.hpp"
#include "runtime/container_events.hpp"
#include "runtime/container_state.hpp"

namespace homeostat::runtime {
namespace {

const std::string kId(64, 'a');

std::string inspected(const std::string& state, const std::string& more = "") {
  return R"({"Id":")" + kId + R"(","Image":"sha256:bb","RestartCount":2,"State":{)" + state +
         R"(},"Config":{"Image":"localhost/web:1","StopTimeout":7,"Env":["A=1","PATH=/bin"],"Hostname":"aaaaaaaaaaaa",)"
         R"("Cmd":["serve"],"Labels":{"own":"1","its":"2"}},"HostConfig":{"RestartPolicy":{"Name":"on-failure",)"
         R"("MaximumRetryCount":2},"Ulimits":[{"Name":"RLIMIT_NOFILE","Soft":1,"Hard":2}],"PidMode":"private",)"
         R"("Memory":9007199254740993)" +
         more + "}}";
}

Sight sight(const std::string& state, EndedBy by = EndedBy::itself) {
  const auto container = read_container(inspected(state));
  return container ? sight_of(*container, by) : Sight{};
}

TEST(ContainerState, ATimeIsReadToTheNanosecondAndInItsZone) {
  EXPECT_EQ(read_time("1970-01-01T00:00:01Z"), 1'000'000'000U);
  EXPECT_EQ(read_time("2026-11-26T03:28:10.013260937Z"), 1795663690013260937U);
  EXPECT_EQ(read_time("2026-11-26T04:28:10.5+01:00"), read_time("2026-11-26T03:28:10.5Z"));
  EXPECT_EQ(read_time("2026-11-25T21:58:10-05:30"), read_time("2026-11-26T03:28:10Z"));
  for (const char* none : {"0001-01-01T00:00:00Z", "", "2026-13-01T00:00:00Z", "2026-11-26", "2026-11-26Tab:00:00Z"})
    EXPECT_EQ(read_time(none), 0U) << none;
}

TEST(ContainerState, ARunIsAnotherOneAfterEachStart) {
  const auto at = [](const std::string& time) {
    return read_container(inspected(R"("Status":"running","StartedAt":")" + time + '"'))->run();
  };
  EXPECT_FALSE(at("2026-11-26T03:28:10.1Z").none());
  EXPECT_NE(at("2026-11-26T03:28:10.1Z"), at("2026-11-26T03:28:10.2Z"));
  EXPECT_EQ(at("2026-11-26T03:28:10.1Z").pid(), 0U) << "it is no process";
  EXPECT_TRUE(at("0001-01-01T00:00:00Z").none());
}

TEST(ContainerState, HowItIs) {
  const std::string began = R"(,"StartedAt":"2026-11-26T03:28:10Z")";
  EXPECT_EQ(sight(R"("Status":"running")" + began).is, Sight::Is::running);
  EXPECT_EQ(sight(R"("Status":"restarting")" + began).detail, "its restart policy is restarting it");
  for (const char* busy : {"paused", "stopping", "removing", "whatever"})
    EXPECT_EQ(sight(R"("Status":")" + std::string(busy) + '"' + began).is, Sight::Is::busy) << busy;
  EXPECT_EQ(sight(R"("Status":"created")").is, Sight::Is::stopped) << "nobody has started it";
  const std::string exited = R"("Status":"exited","ExitCode":137)" + began;
  EXPECT_EQ(sight(exited, EndedBy::undecided).is, Sight::Is::busy);
  EXPECT_EQ(sight(exited, EndedBy::others).is, Sight::Is::stopped);
  const Sight killed = sight(exited);
  EXPECT_EQ(killed.is, Sight::Is::ended);
  EXPECT_TRUE(killed.known && killed.signalled);
  EXPECT_FALSE(killed.out_of_memory);
  EXPECT_EQ(killed.code, SIGKILL);
  EXPECT_EQ(sight(R"("Status":"exited","ExitCode":3)" + began).code, 3);
  const Sight big = sight(R"("Status":"exited","ExitCode":1,"OOMKilled":true)" + began);
  EXPECT_TRUE(big.signalled && big.out_of_memory);
  EXPECT_EQ(big.code, SIGKILL) << "as `signal oom` wants it";
  EXPECT_NE(big.detail.find("more memory"), std::string::npos);
}

TEST(ContainerState, WhatIsNoContainerIsNone) {
  for (const char* text : {"", "[]", "{}", R"({"Id":"short","State":{"Status":"running"}})", "{\"Id\":"})
    EXPECT_FALSE(read_container(text)) << text;
  EXPECT_EQ(made_container(R"({"Id":"../../x"})"), "");
  EXPECT_EQ(made_container(R"({"Id":")" + kId + "\"}"), kId);
}

std::string event(const std::string& action, int at, const std::string& more = "") {
  return R"({"Type":"container","Action":")" + action + R"(","Actor":{"ID":"x","Attributes":{"name":"web")" + more +
         R"(}},"timeNano":)" + std::to_string(at) + "000000000}\n";
}

TEST(ContainerEvents, PodmanTellsAStopByWhoClearsUp) {
  const std::string crash = event("start", 10) + event("die", 20) + event("cleanup", 20);
  const auto end = [](const std::string& events) { return read_end(events, 20'000'000'000, true); };
  EXPECT_FALSE(end(crash).told);
  EXPECT_TRUE(end(crash).begun && end(crash).cleaned);
  EXPECT_TRUE(end(crash + event("cleanup", 21)).told) << "podman stop";
  EXPECT_EQ(end(crash).clearing, std::chrono::seconds(0));
  EXPECT_EQ(end(event("start", 10) + event("die", 20) + event("cleanup", 23)).clearing, std::chrono::seconds(3));
  EXPECT_TRUE(end(event("start", 10) + event("kill", 19) + event("die", 20) + event("cleanup", 20)).told);
  EXPECT_FALSE(end(event("start", 1) + event("kill", 2) + event("die", 20) + event("cleanup", 20)).told)
      << "a signal that nothing came of";
  EXPECT_TRUE(end(event("start", 10) + event("die", 20) + event("restart", 20)).again);
  EXPECT_FALSE(end(event("start", 10) + event("die", 20)).cleaned) << "there is more to come";
  EXPECT_FALSE(end(event("die", 20) + event("cleanup", 20)).begun) << "its beginning is not there any more";
}

TEST(ContainerEvents, DockerTellsTheSignal) {
  const auto told = [](const std::string& signal) {
    const std::string more = R"(,"signal":")" + signal + '"';
    return read_end(event("start", 10) + event("kill", 19, more), 20'000'000'000, false).told;
  };
  EXPECT_TRUE(told("15"));
  EXPECT_TRUE(told("9"));
  EXPECT_FALSE(told("1")) << "to read its configuration anew";
}

TEST(ContainerEvents, WhatIsNoneIsNone) {
  for (const char* text : {"", "null", R"({"Type":"image","Action":"pull"})", "{\"Type\":\"container\""})
    EXPECT_FALSE(read_event(text)) << text;
  EXPECT_FALSE(matters(*read_event(event("exec_die", 1))));
  EXPECT_TRUE(matters(*read_event(event("die", 1))));
}

boost::json::object copy(const std::string& from, const std::string& image, int instance = -1) {
  const auto made = copy_settings(from, image, "localhost/web:2", instance);
  if (!made) return {{"error", made.error().text}};
  return boost::json::parse(*made).as_object();
}

TEST(ContainerCopy, TakesTheSettingsAndLeavesToTheImageWhatIsItsOwn) {
  const std::string image = R"({"Config":{"Env":["PATH=/bin"],"Cmd":["serve"],"Labels":{"its":"2"}}})";
  const auto made = copy(inspected(R"("Status":"running")"), image);
  EXPECT_EQ(made.at("Image"), "localhost/web:2");
  EXPECT_EQ(boost::json::serialize(made.at("Env")), R"(["A=1"])");
  EXPECT_EQ(boost::json::serialize(made.at("Labels")), R"({"own":"1"})");
  EXPECT_FALSE(made.contains("Cmd"));
  EXPECT_FALSE(made.contains("Hostname")) << "it was made of the id";
  const auto& host = made.at("HostConfig").as_object();
  EXPECT_EQ(host.at("Memory").as_int64(), 9007199254740993) << "to the last digit";
  EXPECT_EQ(host.at("Ulimits").as_array()[0].as_object().at("Name"), "nofile");
  EXPECT_FALSE(host.contains("PidMode"));
  EXPECT_TRUE(copy(inspected(R"("Status":"running")"), "").contains("Cmd")) << "its image is not there any more";
}

// Of docker: one whose volume has no name, and one that it was given in its other way of saying so.
TEST(ContainerCopy, KeepsEachVolumeWhereItWas) {
  const auto volume = [](const std::string& name, const std::string& where) {
    return R"({"Type":"volume","Name":")" + name + R"(","Destination":")" + where + R"(","RW":true})";
  };
  const std::string from = R"({"Config":{"Image":"a:1"},"HostConfig":{"Binds":["/host:/data-backup","own:/logs:ro"],)"
                           R"("Mounts":[{"Type":"volume","Source":"mine","Target":"/vol"},)"
                           R"({"Type":"volume","Target":"/cache"}]},"Mounts":[)" +
                           volume("abc", "/data") + "," + volume("own", "/logs") + "," + volume("mine", "/vol") + "," +
                           volume("def", "/cache") + "]}";
  const auto host = copy(from, "").at("HostConfig").as_object();
  EXPECT_EQ(boost::json::serialize(host.at("Binds")), R"(["/host:/data-backup","own:/logs:ro","abc:/data"])");
  const auto& mounts = host.at("Mounts").as_array();
  ASSERT_EQ(mounts.size(), 2U);
  EXPECT_EQ(mounts[0].at("Source"), "mine");
  EXPECT_EQ(mounts[1].at("Source"), "def");
}

TEST(ContainerCopy, WhatWouldBeLostIsSaid) {
  EXPECT_NE(lost_in_a_copy(R"({"Config":{"Secrets":[{"Name":"key"}]}})").find("secrets"), std::string::npos);
  for (const char* none : {"", "{}", R"({"Config":{}})", R"({"Config":{"Secrets":[]}})"})
    EXPECT_EQ(lost_in_a_copy(none), "") << none;
}

TEST(ContainerCopy, AnotherInstanceKnowsItsNumberAndPublishesNoPortTwice) {
  EXPECT_EQ(boost::json::serialize(copy(inspected(R"("Status":"running")"), "", 3).at("Env")),
            R"(["A=1","PATH=/bin","HOMEOSTAT_INSTANCE=3"])");
  const std::string port = R"(,"PortBindings":{"80/tcp":[{"HostIp":"","HostPort":"8080"}]})";
  EXPECT_TRUE(copy(inspected(R"("Status":"running")", port), "", 3).contains("error"));
  EXPECT_FALSE(copy(inspected(R"("Status":"running")", port), "").contains("error"));
}

}  // namespace
}  // namespace homeostat::runtime
