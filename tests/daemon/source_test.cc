// A service that follows a number told by somebody else: while it is told, while it is not, and again.
#include <fmt/format.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>

#include "bad_servers.hpp"
#include "lab.hpp"

namespace homeostat::lab {
namespace {

/// Workers that take jobs from a folder, one after the other, and a server that says how many wait.
class DaemonSource : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(jobs());
    write_file(lab_.dir() + "/work",
               "#!/bin/sh\nwhile :; do for job in \"$1\"/*; do rm \"$job\" 2>/dev/null; sleep 0.1; done; done\n");
    ::chmod((lab_.dir() + "/work").c_str(), 0755);
    write_file(lab_.dir() + "/token", "Bearer its-own-secret\n");
    lab_.configure({fmt::format("  work: {{ run: {{ process: {{ command: [{0}/work, {0}/jobs] }} }}, stable_after: 1s,"
                                " scaling: {{ min: 1, max: 3, every: 1s, down: {{ window: 1s }}, metrics: {{ queue: {{"
                                " http: {{ url: 'http://127.0.0.1:{1}/', json: /jobs/waiting, timeout: 500ms,"
                                " headers: {{ Authorization: {{ file: {0}/token }} }} }}, target: 10 }} }} }} }}\n",
                                lab_.dir(), lab_.port(0))},
                   "breakers: { failures: 3, open_for: 1s, open_cap: 1s }\n");
    ASSERT_TRUE(lab_.start());
  }
  std::string jobs() const { return lab_.dir() + "/jobs"; }
  std::size_t waiting() const {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(jobs()), std::filesystem::directory_iterator()));
  }
  void add_jobs(int count) {
    for (int i = 0; i < count; ++i) write_file(fmt::format("{}/{}", jobs(), ++made_), "");
  }
  void tell(int fd) {
    if (!answering_) return reset(fd);
    read_request(fd);
    const std::string body = fmt::format(R"({{"jobs":{{"waiting":{}}}}})", waiting());
    send_text(fd, fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", body.size(), body));
  }
  bool becomes(std::size_t count) const {
    return within(seconds(20), [&] {
      std::size_t running = 0;
      for (int slot = 0; slot < 3; ++slot) running += lab_.pids(fmt::format("work/{}", slot)).empty() ? 0 : 1;
      return running == count;
    });
  }
  bool says(const std::string& words) const {
    return eventually([&] { return lab_.cli({"scale", "work"}).out.find(words) != std::string::npos; });
  }

  Lab lab_;
  int made_ = 0;
  std::atomic<bool> answering_ = true;
  BadServer server_{lab_.port(0), [this](int fd) { tell(fd); }};
};

TEST_F(DaemonSource, AQueueIsFollowedAndHeldWhileNobodyTellsItsLength) {
  ASSERT_TRUE(becomes(1));
  add_jobs(200);
  ASSERT_TRUE(becomes(3)) << lab_.records();
  answering_ = false;
  ASSERT_TRUE(says("Connection reset by peer; it failed too often and is asked again in"))
      << lab_.cli({"scale", "work"}).out;
  EXPECT_NE(lab_.cli({"status"}).out.find("metric:work/queue"), std::string::npos) << lab_.cli({"status"}).out;
  for (const auto& job : std::filesystem::directory_iterator(jobs())) std::filesystem::remove(job);
  EXPECT_TRUE(becomes(3)) << "nobody says that they are not needed";
  answering_ = true;
  EXPECT_TRUE(becomes(1)) << lab_.records() << lab_.cli({"scale", "work"}).out;
  const std::string everything = lab_.log() + lab_.records() + lab_.cli({"status", "--json"}).out;
  EXPECT_EQ(everything.find("its-own-secret"), std::string::npos);
}

}  // namespace
}  // namespace homeostat::lab
