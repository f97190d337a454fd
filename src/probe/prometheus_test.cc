// A real Prometheus: what it answers, and how old that is.
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>

#include "os/child.hpp"
#include "os/testing.hpp"
#include "probe/sampler.hpp"
#include "probe/test_kit.hpp"

namespace homeostat::probe {
namespace {

using namespace std::chrono_literals;

std::int64_t wall_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// A port that nobody uses now.
std::uint16_t free_port() { return DeadPort().port(); }

class Prometheus : public ::testing::Test {
 protected:
  Prometheus() : loop_(std::move(*os::Loop::open())), sampler_(std::move(*Sampler::open(loop_, steady_now))) {}
  ~Prometheus() override {
    if (child_) {
      os::signal_group(child_->pid, SIGKILL);
      os::reap(*child_);
    }
  }

  void start() {
    os::testing::write_file(dir_ / "prometheus.yml",
                            "global: { scrape_interval: 1s, scrape_timeout: 900ms }\n"
                            "scrape_configs: [{ job_name: jobs, static_configs: [{ targets: ['127.0.0.1:" +
                                std::to_string(jobs_.port()) + "'] }] }]\n");
    os::ChildSpec spec;
    spec.argv = {"prometheus", "--config.file=" + dir_ / "prometheus.yml", "--storage.tsdb.path=" + dir_ / "tsdb",
                 "--web.listen-address=127.0.0.1:" + std::to_string(port_)};
    auto child = os::spawn(spec);
    ASSERT_TRUE(child) << child.error().text;
    child_ = std::move(*child);
    const Instant end = steady_now() + 30s;
    while (!ask("old_jobs") && steady_now() < end) turn();
    ASSERT_TRUE(ask("old_jobs")) << why("old_jobs");
  }
  void turn() { loop_.run_once(20ms); }

  Reading ask(const std::string& query, const QueryResult& wanted = {}, const std::string& done = "") {
    HttpSource source{http_to(port_, promql_path("/", query, done, 1min)), {wanted}};
    std::optional<Reading> answer;
    sampler_->ask({std::move(source)}, {}, steady_now(), [&](Reading reading) { answer = std::move(reading); });
    while (!answer) {
      turn();
      sampler_->advance(steady_now());
    }
    return std::move(*answer);
  }
  std::string why(const std::string& query) {
    const Reading reading = ask(query);
    return reading ? "" : reading.error().why;
  }
  std::int64_t value(const std::string& query) {
    const Reading reading = ask(query);
    return reading ? reading->front().value : -1;
  }

  os::testing::TempDir dir_;
  os::Loop loop_;
  std::unique_ptr<Sampler> sampler_;
  std::uint16_t port_ = free_port();
  RawServer jobs_{[](int fd, int) {
    while (read_request(fd)) {
      const std::string body =
          "jobs_waiting{queue=\"a\"} 12\njobs_waiting{queue=\"b\"} 30\njobs_done_total 900\nold_jobs 5 " +
          std::to_string(wall_ms() - 120'000) + "\n";
      say(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: " +
                  std::to_string(body.size()) + "\r\n\r\n" + body);
    }
  }};
  std::optional<os::Child> child_;
};

TEST_F(Prometheus, TellsNumbersAndHowOldTheyAre) {
  start();
  if (HasFatalFailure()) return;
  EXPECT_EQ(value("sum(jobs_waiting)"), 42'000);
  EXPECT_EQ(value("scalar(jobs_waiting{queue=\"a\"})"), 12'000);
  const Reading fresh = ask("jobs_waiting{queue=\"a\"}");
  ASSERT_TRUE(fresh) << fresh.error().why;
  EXPECT_EQ(fresh->front().value, 12'000);
  EXPECT_LT(wall_ms() - *fresh->front().wall_ms, 30'000);
  const Reading old = ask("old_jobs");
  ASSERT_TRUE(old) << old.error().why;
  EXPECT_EQ(old->front().value, 5'000);
  EXPECT_GE(wall_ms() - *old->front().wall_ms, 119'000) << "the time of the sample, not of the question";

  const Reading queue = ask("sum(jobs_waiting)", {"", true}, "jobs_done_total");
  ASSERT_TRUE(queue) << queue.error().why;
  ASSERT_EQ(queue->size(), 2U);
  EXPECT_EQ(queue->at(1).value, 900'000);
  const auto holds = [&](const std::string& expect) {
    const Reading read = ask("sum(jobs_waiting) / 1000", {"", true}, condition_of("sum(jobs_waiting) / 1000", expect));
    return read && read->size() == 2 ? read->back().value : -1;
  };
  EXPECT_EQ(holds("< 0.0420001"), 1'000) << "Prometheus compares: nothing is rounded before";
  EXPECT_EQ(holds("< 0.042"), 0);
  EXPECT_EQ(holds("!= -3"), 1'000);
  const std::string remarked = "sum(jobs_waiting) # of all queues";
  const Reading compared = ask(remarked, {"", true}, condition_of(remarked, "== 42"));
  ASSERT_TRUE(compared) << compared.error().why;
  EXPECT_EQ(compared->back().value, 1'000);
  EXPECT_EQ(ask(remarked, {"", true}, "jobs_done_total # in all")->back().value, 900'000);

  const Reading apart = ask("jobs_waiting", {"queue", false});
  ASSERT_TRUE(apart) << apart.error().why;
  ASSERT_EQ(apart->size(), 2U);
  EXPECT_EQ(apart->at(0).key, "a");
  EXPECT_LT(wall_ms() - *apart->at(0).wall_ms, 30'000);

  EXPECT_TRUE(why("jobs_waiting").starts_with("the query has 2 results, such as {")) << why("jobs_waiting");
  EXPECT_TRUE(why("nothing_of_the_kind").starts_with("the query has no result")) << why("nothing_of_the_kind");
  EXPECT_EQ(why("sum(jobs_waiting) / 0"), "\"+Inf\" is infinite");
  EXPECT_NE(why("sum(").find("bad_data: invalid parameter \"query\": 1:5: parse error"), std::string::npos)
      << why("sum(");
  EXPECT_EQ(why("jobs_waiting[1m]"), "the query gives a matrix; an instant vector or a scalar is needed");
}

}  // namespace
}  // namespace homeostat::probe
