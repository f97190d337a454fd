// The daemon is stopped for half a minute under load (SIGSTOP) and goes on. The silence is the fault that is tested
// here; nothing else is waited for. It costs time but no processor, so it runs beside the other programs.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <thread>

#include "bad_servers.hpp"
#include "lab.hpp"

namespace homeostat::lab {
namespace {

constexpr int kServices = 6;
constexpr auto kSilence = seconds(30);

/// Somebody who asks the local API all the time, and never waits long for one answer.
class Asker {
 public:
  explicit Asker(const Lab& lab) : thread_([this, &lab](const std::stop_token& stop) { ask(lab, stop); }) {}
  int answers() const { return answers_; }

 private:
  void ask(const Lab& lab, const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const auto answer = ask_socket(lab.socket(), "GET", "/v1/status", "", milliseconds(1'000));
      if (answer && answer->status == 200) ++answers_;
    }
  }

  std::atomic<int> answers_ = 0;
  std::jthread thread_;
};

TEST(DaemonPaused, ForHalfAMinuteUnderLoadTakesItsSilenceForNobodysFault) {
  Lab lab;
  std::atomic<bool> hangs = false;
  BadServer asked(lab.port(8), [&hangs](int fd) {
    if (!read_request(fd)) return;
    if (hangs) return hang(fd);
    send_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
  });
  std::vector<std::string> services;
  for (int i = 0; i < kServices; ++i) services.push_back(lab.service(fmt::format("web{}", i), {.first_port = i}));
  services.push_back(lab.service(
      "seen",
      {.first_port = kServices, .checks = fmt::format("alive: {{ http: {{ port: {}, path: / }} }}", lab.port(8))}));
  lab.configure(services);
  ASSERT_TRUE(lab.start());
  const auto all_healthy = [&] {
    const json::value all = at(lab.status(), "services");
    return all.is_array() && std::ranges::all_of(all.get_array(), [](const json::value& one) {
             return text_at(one, "status") == "healthy";
           });
  };
  ASSERT_TRUE(eventually(all_healthy));
  // One success is enough to be healthy. A start needs more to be proved: who is killed before that failed to start.
  const auto proved = [&] {
    const std::string records = lab.records();
    int count = 0;
    for (std::size_t at = 0; (at = records.find(" verified: well", at)) != std::string::npos; ++at) ++count;
    return count == kServices + 1;
  };
  ASSERT_TRUE(eventually(proved)) << lab.records();
  const Asker one(lab);
  const Asker two(lab);
  ASSERT_TRUE(eventually([&] { return one.answers() > 100 && two.answers() > 100; }));

  const pid_t crashed = lab.pid("web0/0");
  lab.signal(SIGSTOP);
  send_signal(crashed, SIGKILL);
  ::poll(nullptr, 0, static_cast<int>(milliseconds(kSilence).count()));
  const int asked_before = asked.asked();
  const int answers_before = one.answers();
  const auto resumed = std::chrono::steady_clock::now();
  lab.signal(SIGCONT);

  // A crash was seen directly, and is repaired at once. Nobody else is touched.
  EXPECT_TRUE(eventually([&] { return lab.serves(0) && lab.starts().size() == kServices + 2U; }));
  EXPECT_TRUE(eventually([&] { return !at(lab.status(), "engine.tilt_since").is_null(); }));
  EXPECT_TRUE(eventually(all_healthy));
  EXPECT_TRUE(eventually([&] { return one.answers() > answers_before + 100; }));
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - resumed;
  EXPECT_LE(asked.asked() - asked_before, 2 + passed.count() / 0.2) << "it made up for what it had missed";
  EXPECT_EQ(lab.starts().size(), kServices + 2U) << "a healthy service was repaired";
  EXPECT_EQ(lab.records().find("did not prove well"), std::string::npos) << "time in which nobody looked was counted";

  // While it tilts, what only cannot be reached is left alone; afterwards it is repaired as ever.
  hangs = true;
  EXPECT_TRUE(within(seconds(90), [&] { return lab.starts().size() == kServices + 3U; }));
  EXPECT_TRUE(at(lab.status(), "engine.tilt_since").is_null());
  EXPECT_GE(std::chrono::steady_clock::now() - resumed, seconds(29));
  EXPECT_EQ(lab.starts().back().place, "seen/0");
}

}  // namespace
}  // namespace homeostat::lab
