// Sources that answer, and sources that do everything else.
#include "probe/sampler.hpp"

#include <gtest/gtest.h>

#include "os/testing.hpp"
#include "probe/test_kit.hpp"
#include "traffic/listener_kit.hpp"
#include "traffic/test_kit.hpp"

namespace homeostat::probe {
namespace {

using traffic::testing::Client;
using traffic::testing::Listener;
using traffic::testing::RealHaproxy;
using namespace std::chrono_literals;

class SamplerTest : public ::testing::Test {
 protected:
  SamplerTest() : loop_(std::move(*os::Loop::open())), sampler_(std::move(*Sampler::open(loop_, steady_now))) {}

  Reading ask(const SourceSpec& source, const Place& place = {}) {
    std::optional<Reading> answer;
    sampler_->ask(source, place, steady_now(), [&](Reading reading) { answer = std::move(reading); });
    const Instant end = steady_now() + 20s;
    while (!answer && steady_now() < end) {
      loop_.run_once(10ms);
      sampler_->advance(steady_now());
    }
    return answer ? std::move(*answer) : refuse(MetricFault::none, "it was never answered");
  }
  static SourceSpec json_of(std::uint16_t port, Duration timeout = 5s) {
    return {HttpSource{http_to(port), {*parse_pointer("/waiting")}}, false, {}, false, timeout, 1min};
  }
  static std::string answer_with(std::string_view body, std::string_view status = "200 OK") {
    return "HTTP/1.1 " + std::string(status) + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
           std::string(body);
  }
  static SourceSpec command(std::vector<std::string> argv, Duration timeout = 5s) {
    return {ExecSpec{.argv = std::move(argv), .env = {{"TOKEN", "hush-this-one"}}, .cwd = "/", .user = ""},
            false,
            {},
            false,
            timeout,
            1min};
  }
  std::string why(const SourceSpec& source) {
    const Reading reading = ask(source);
    return reading ? "" : reading.error().why;
  }

  os::Loop loop_;
  std::unique_ptr<Sampler> sampler_;
};

TEST_F(SamplerTest, ReadsANumberOverHttp) {
  RawServer server(always(answer_with(R"({"waiting":12})")));
  const Reading read = ask(json_of(server.port()));
  ASSERT_TRUE(read) << read.error().why;
  EXPECT_EQ(read->front().value, 12'000);
}

TEST_F(SamplerTest, AnAnswerOfAlmostAMegabyteIsRead) {
  RawServer server(always(answer_with(R"({"fill":")" + std::string(900'000, 'x') + R"(","waiting":12})")));
  EXPECT_TRUE(ask(json_of(server.port())));
}

TEST_F(SamplerTest, ABodyThatIsTooLongIsNoNumber) {
  RawServer sized(always(answer_with(R"({"waiting":12,"fill":")" + std::string(2'000'000, 'x') + "\"}")));
  EXPECT_EQ(why(json_of(sized.port())), "the answer is longer than 1 MiB");
  RawServer endless([](int fd, int) {
    read_request(fd);
    say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    while (say(fd, "400\r\n" + std::string(0x400, ' ') + "\r\n")) {
    }
  });
  EXPECT_EQ(why(json_of(endless.port())), "the body is longer than 1 MiB");
}

TEST_F(SamplerTest, AServerThatFailsIsNamed) {
  RawServer broken(always(answer_with("oops", "500 Internal Server Error")));
  EXPECT_EQ(why(json_of(broken.port())), "HTTP 500, expected 200-299");
  const DeadPort dead;
  EXPECT_NE(why(json_of(dead.port())).find("refused"), std::string::npos);
  RawServer silent([](int fd, int) { read_request(fd); });
  const Instant began = steady_now();
  EXPECT_EQ(why(json_of(silent.port(), 200ms)), "timed out while waiting for the answer");
  EXPECT_LT(steady_now() - began, 5s);
}

TEST_F(SamplerTest, APrometheusSaysWhatIsWrongWithTheQuery) {
  RawServer server(always(
      answer_with(R"({"status":"error","errorType":"bad_data","error":"no such function"})", "400 Bad Request")));
  const SourceSpec source{HttpSource{http_to(server.port()), {QueryResult{}}}};
  EXPECT_EQ(why(source), "HTTP 400, expected 200-299: bad_data: no such function");
}

TEST_F(SamplerTest, FillsInWhichInstanceItIs) {
  RawServer server([](int fd, int) {
    std::string got(4096, '\0');
    const ssize_t count = ::recv(fd, got.data(), got.size(), 0);
    got.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    say(fd, answer_with(got.starts_with("GET /of/3 ") ? R"({"waiting":3})" : "{}"));
  });
  SourceSpec source = json_of(server.port());
  std::get<HttpSource>(source.from).request.path = "/of/{instance}";
  EXPECT_TRUE(ask(source, {.port = 0, .instance = 3, .release = ""}));
}

TEST_F(SamplerTest, RunsACommandThatPrintsANumber) {
  const Reading read = ask(command({"/bin/echo", "7"}));
  ASSERT_TRUE(read) << read.error().why;
  EXPECT_EQ(read->front().value, 7'000);
}

TEST_F(SamplerTest, ACommandThatFailsIsNoNumber) {
  EXPECT_EQ(why(command({"/bin/sh", "-c", "echo 5; echo no queue; exit 3"})), "exit status 3 5 no queue");
  EXPECT_EQ(why(command({"/bin/echo", "-n"})), "it printed 0 numbers, 1 is needed");
  EXPECT_EQ(why(command({"/bin/sh", "-c", "yes 1 | head -c 100000"})), "it printed more than numbers");
  EXPECT_NE(why(command({"/nowhere/queue"})).find("/nowhere/queue"), std::string::npos);
  EXPECT_EQ(why(command({"/bin/sleep", "100"}, 100ms)), "killed at its time-out");
}

SourceSpec haproxy_of(const traffic::HaproxyPlace& place, std::vector<std::string> columns, bool of_servers) {
  return {HaproxySource{place, std::move(columns), of_servers}, false, {}, false, 500ms, 1min};
}

TEST_F(SamplerTest, ReadsHaproxysCounters) {
  RealHaproxy haproxy(2);
  Client client(haproxy.port());
  for (int i = 0; i < 6; ++i) ASSERT_FALSE(client.ask().empty());
  const Reading servers = ask(haproxy_of(haproxy.place(), {"stot"}, true));
  ASSERT_TRUE(servers) << servers.error().why;
  ASSERT_EQ(servers->size(), 2U);
  EXPECT_EQ(servers->at(0).key, "s1");
  EXPECT_EQ(servers->at(0).value, 3'000);
  const Reading queue = ask(haproxy_of(haproxy.place(), {"qcur", "req_tot"}, false));
  ASSERT_TRUE(queue) << queue.error().why;
  ASSERT_EQ(queue->size(), 2U);
  EXPECT_EQ(queue->at(0).value, 0);
  EXPECT_EQ(queue->at(1).value, 6'000);
  EXPECT_EQ(why(haproxy_of({haproxy.place().socket, "nosuch"}, {"stot"}, true)), "HAProxy has no backend `nosuch`");
}

TEST_F(SamplerTest, AHaproxyThatHangsOrIsGoneTellsNothing) {
  RealHaproxy haproxy(1);
  haproxy.signal(SIGSTOP);
  const SourceSpec source = haproxy_of(haproxy.place(), {"stot"}, true);
  EXPECT_EQ(why(source), "HAProxy did not answer `show stat pool 6 -1` within 500 ms");
  haproxy.stop();
  EXPECT_NE(why(source).find("onnection refused"), std::string::npos) << why(source);
}

TEST_F(SamplerTest, AHaproxyThatClosesAfterAWhileIsTriedAgainForAllItsTime) {
  const os::testing::TempDir dir;
  Listener haproxy(dir / "api", 10);
  Instant now{1s};
  const auto sampler = std::move(*Sampler::open(loop_, [&now] { return now; }));
  std::optional<Reading> answer;
  const SourceSpec source = haproxy_of({dir / "api", "pool"}, {"stot"}, true);
  sampler->ask(source, {}, now, [&](Reading reading) { answer = std::move(reading); });
  now += 400ms;  // nothing was due meanwhile
  ASSERT_TRUE(haproxy.serve(""));
  loop_.run_once(1s);
  sampler->advance(now);
  EXPECT_FALSE(answer) << answer->error().why;
  now += 50ms;
  sampler->advance(now);
  ASSERT_TRUE(haproxy.serve("# pxname,svname,stot\npool,s1,3\npool,BACKEND,3\n"));
  loop_.run_once(1s);
  ASSERT_TRUE(answer);
  EXPECT_TRUE(*answer) << answer->error().why;
}

TEST_F(SamplerTest, OneThatHangsDelaysNoOther) {
  RawServer silent([](int fd, int) { read_request(fd); });
  RawServer good(always(answer_with(R"({"waiting":1})")));
  bool hung = false;
  sampler_->ask(json_of(silent.port(), 10s), {}, steady_now(), [&](const Reading&) { hung = true; });
  EXPECT_TRUE(ask(json_of(good.port())));
  EXPECT_FALSE(hung);
  sampler_->forget_all();
}

}  // namespace
}  // namespace homeostat::probe
