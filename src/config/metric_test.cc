// The sources of metrics: what they become, and each mistake at its place.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>

#include "config/load.hpp"

namespace homeostat::config {
namespace {

std::string service(const std::string& metric, const std::string& run) {
  return "homeostat: 1\nservices:\n  a:\n    scaling: { max: 4, metrics: { m: { " + metric + " } } }\n    run: { " +
         run + " }\n    checks: { c: { tcp: { host: h, port: 1 } } }\n";
}
constexpr const char* kBehindHaproxy =
    "process: { command: [x], ports: 9001-9004 } }\n    traffic: { haproxy: { socket: /s, backend: b, server: "
    "'m{port}' }";
constexpr const char* kPlace = "socket: /s, backend: b";
constexpr const char* kProcess = "process: { command: [x], ports: 9001-9004 }";
constexpr const char* kExec = "exec: { restart: [x] }";

struct One {
  engine::SourcePlan plan;
  MetricRule rule;
  probe::SourceSpec source;
};

std::optional<One> read(const std::string& metric, const std::string& run = kProcess) {
  auto config = load_text(service(metric, run), "/etc/h.yaml");
  if (!config) {
    ADD_FAILURE() << render(config.error().front());
    return std::nullopt;
  }
  const engine::ScalingPlan& scaling = *config->plan.services[0].scaling;
  return One{scaling.sources.at(0), scaling.policy.metrics.at(0), config->sources.at(scaling.sources.at(0).reference)};
}

TEST(Metric, OfAWebServerIsOneNumberOfTheService) {
  const auto one =
      read("http: { url: 'http://q:8080/stats', json: /waiting, timeout: 500ms, fresh_within: 5s }, target: 8");
  ASSERT_TRUE(one);
  EXPECT_EQ(one->plan.kind, engine::MetricSource::outside);
  EXPECT_EQ(one->plan.fresh_within, std::chrono::seconds(5));
  EXPECT_EQ(one->rule.kind, MetricKind::total_average);
  EXPECT_EQ(one->rule.target, 8'000);
  EXPECT_FALSE(one->source.each_instance);
  EXPECT_EQ(one->source.timeout, std::chrono::milliseconds(500));
  const auto& http = std::get<probe::HttpSource>(one->source.from);
  EXPECT_EQ(http.request.host, "q");
  EXPECT_EQ(std::get<probe::JsonPointer>(http.numbers.at(0)).steps, std::vector<std::string>{"waiting"});
}

TEST(Metric, WithAPortEachInstanceIsAsked) {
  const auto one = read(R"(http: { path: /metrics, series: 'busy{pool="a"}' }, target: 5)");
  ASSERT_TRUE(one);
  EXPECT_TRUE(one->source.each_instance);
  EXPECT_EQ(one->rule.kind, MetricKind::average);
  EXPECT_EQ(one->plan.fresh_within, std::chrono::minutes(1));
  EXPECT_EQ(one->source.timeout, std::chrono::seconds(2));
}

TEST(Metric, OfAPrometheusAsksItsApi) {
  const auto one = read("promql: { url: 'https://p/prom', query: 'sum(x)', tls: { ca_file: /ca } }, target: 5");
  ASSERT_TRUE(one);
  const auto& http = std::get<probe::HttpSource>(one->source.from);
  EXPECT_TRUE(http.request.path.starts_with("/prom/api/v1/query?query=sum%28x%29&")) << http.request.path;
  EXPECT_EQ(http.request.trust->ca_file, "/ca");
  EXPECT_EQ(one->rule.kind, MetricKind::total_average);
}

TEST(Metric, OfAPrometheusMayBelongToInstancesByLabel) {
  const auto one =
      read("promql: { url: 'http://p:9090', query: busy, label: instance, label_value: 'h:{port}' }, target: 5");
  ASSERT_TRUE(one);
  EXPECT_FALSE(one->source.each_instance);
  EXPECT_EQ(one->source.instance_label, "h:{port}");
  EXPECT_EQ(one->rule.kind, MetricKind::average);
}

TEST(Metric, OfAQueueIsTwoNumbers) {
  const auto http = read("http: { url: 'http://q/', json: /waiting, done: /done }, kind: drain");
  ASSERT_TRUE(http);
  EXPECT_EQ(std::get<probe::HttpSource>(http->source.from).numbers.size(), 2U);
  const auto promql = read("promql: { url: 'http://p/', query: sum(x), done: sum(y) }, kind: drain");
  ASSERT_TRUE(promql);
  const auto& asked = std::get<probe::HttpSource>(promql->source.from);
  EXPECT_TRUE(std::get<probe::QueryResult>(asked.numbers.at(0)).done);
  const auto exec = read("exec: [queue], kind: drain");
  ASSERT_TRUE(exec);
  EXPECT_TRUE(exec->source.queue);
}

TEST(Metric, OfACommandRunsInTheFolderOfTheConfiguration) {
  const auto one = read("exec: [queue, '{instance}'], target: 5");
  ASSERT_TRUE(one);
  EXPECT_TRUE(one->source.each_instance);
  EXPECT_EQ(std::get<probe::ExecSpec>(one->source.from).cwd, "/etc");
}

TEST(Metric, OfHaproxyIsOfTheServersThatTheTrafficNames) {
  const auto one = read("haproxy: scur, target: 8", kBehindHaproxy);
  ASSERT_TRUE(one);
  EXPECT_EQ(one->rule.kind, MetricKind::average);
  EXPECT_EQ(one->source.instance_label, "m{port}");
  EXPECT_FALSE(one->source.per_second);
  const auto& haproxy = std::get<probe::HaproxySource>(one->source.from);
  EXPECT_EQ(haproxy.place, (traffic::HaproxyPlace{"/s", "b"}));
  EXPECT_EQ(haproxy.columns, std::vector<std::string>{"scur"});
  EXPECT_TRUE(haproxy.of_servers);
}

TEST(Metric, OfHaproxyNeedsNoTrafficWhereItSaysItsPlace) {
  const auto one = read(fmt::format("haproxy: {{ field: req_tot, {} }}, target: 8", kPlace));
  ASSERT_TRUE(one);
  EXPECT_EQ(one->source.instance_label, "a-{instance}");
  EXPECT_TRUE(one->source.per_second) << "it only grows";
  const auto other = read("haproxy: { field: req_tot, socket: /s, backend: c }, target: 8");
  EXPECT_NE(one->plan.identity, other->plan.identity);
}

TEST(Metric, OfHaproxysBackendIsOneNumberOrAQueue) {
  const auto one = read("haproxy: { field: rtime, of: backend }, target: 8", kBehindHaproxy);
  ASSERT_TRUE(one);
  EXPECT_EQ(one->rule.kind, MetricKind::total_average);
  EXPECT_TRUE(one->source.instance_label.empty());
  const auto queue = read("haproxy: { field: qcur, done: stot }, kind: drain", kBehindHaproxy);
  ASSERT_TRUE(queue);
  EXPECT_TRUE(queue->source.queue);
  EXPECT_FALSE(queue->source.per_second) << "drain takes the counter itself";
  EXPECT_EQ(std::get<probe::HaproxySource>(queue->source.from).columns, (std::vector<std::string>{"qcur", "stot"}));
}

TEST(Metric, OfTheServiceNeedsNoInstancesOfOurs) {
  EXPECT_TRUE(read("exec: [queue], target: 5", std::string("exec: { restart: [x] }")));
}

TEST(Metric, AnotherTargetIsAnotherIdentityAnotherTimeOutIsNot) {
  const auto identity = [](const std::string& metric) { return read(metric + ", target: 5")->plan.identity; };
  const std::string first = "http: { url: 'http://q/', json: /a }";
  EXPECT_EQ(identity(first), identity("http: { url: 'http://q/', json: /a, timeout: 1s }"));
  EXPECT_NE(identity(first), identity("http: { url: 'http://q/', json: /b }"));
  EXPECT_NE(identity(first), identity("http: { url: 'http://r/', json: /a }"));
  EXPECT_NE(identity(first), identity("http: { url: 'http://q/', series: a }"));
}

struct Case {
  std::string metric;
  std::string expected;
  const char* run = kProcess;
};
void PrintTo(const Case& one, std::ostream* out) { *out << one.metric; }

class MetricMistake : public testing::TestWithParam<Case> {};

TEST_P(MetricMistake, IsReportedAtItsPlace) {
  const auto config = load_text(service(GetParam().metric, GetParam().run), "h.yaml");
  std::string out;
  if (!config) {
    for (const Problem& problem : config.error()) out += render(problem) + "\n";
  }
  EXPECT_EQ(out, "h.yaml:" + GetParam().expected + "\n");
}

INSTANTIATE_TEST_SUITE_P(
    Source, MetricMistake,
    testing::Values(
        Case{"target: 5", "4:38: a source is missing; known: cpu, memory, http, promql, haproxy, exec"},
        Case{"cpu: 50%, exec: [x]", "4:50: `exec` beside `cpu`: only one source can be given"},
        Case{"http: { url: 'http://q/' }, target: 5",
             "4:46: either `json` or `series` must be given: where in the answer the number is"},
        Case{"http: { url: 'http://q/', json: waiting }, target: 5",
             "4:72: `waiting` is no JSON pointer: it begins with `/`, as in /stats/waiting"},
        Case{"http: { url: 'http://q/', series: 'sum(x)' }, target: 5",
             "4:74: `sum(x)` is no series: nothing can follow the labels, but (x) does; for expressions there is "
             "`promql`"},
        Case{"http: { url: 'ftp://q/', json: /a }, target: 5",
             "4:53: not a usable address: it must begin with http:// or https://"},
        Case{"http: { url: 'http://q/', json: /a, timeout: 9s }, target: 5",
             "4:85: `9s` is too long: the longest is 8s"},
        Case{"http: { path: /a, json: /a }, target: 5",
             "4:38: `path` needs a port: give the service `ports`, or name a `port` or `url`",
             "process: { command: [x] }"},
        Case{"promql: { url: 'http://p/' }, target: 5", "4:48: `query` is missing here"},
        Case{"promql: { url: 'http://p/', query: x, done: 'sum(y' }, kind: drain",
             "4:84: no query of a Prometheus: `(` is not closed"},
        Case{"promql: { url: 'http://p/?a=b', query: x }, target: 5", "4:55: the query has a key of its own"},
        Case{"promql: { url: 'http://p/', query: x, label: y }, target: 5",
             "4:48: `label` and `label_value` belong together"},
        Case{"promql: { url: 'http://p/', query: x, label: y, label_value: z }, target: 5",
             "4:101: without `{port}` or `{instance}` it is the same of every instance"},
        Case{"http: { url: 'http://q/', json: /a }, kind: drain",
             "4:46: `drain` needs to know what was done, too: `done`"},
        Case{"http: { url: 'http://q/', json: /a, done: /b }, target: 5",
             "4:46: `done` means something for a metric of kind `drain` only"},
        Case{"http: { url: 'http://q/', json: /a, done: b }, kind: drain",
             "4:82: `b`: it begins with `/`, as in /stats/waiting"},
        Case{"exec: [x, '{instance}'], target: 5",
             "4:46: it is asked for each instance, but only the process runtime knows its instances", kExec},
        Case{"haproxy: scur, target: 5",
             "4:49: `socket` and `backend` are needed: the service has no `traffic` that says them"},
        Case{fmt::format("haproxy: {{ field: scur, {}, server: m }}, target: 5", kPlace),
             "4:49: the server `m` is the same of every instance: add {port} or {instance}"},
        Case{fmt::format("haproxy: {{ field: qcur, done: stot, of: servers, {} }}, kind: drain", kPlace),
             "4:70: `done` is of the backend as a whole, not of its servers\n"
             "h.yaml:4:121: `drain` needs one number of the service; this one is measured of each instance"},
        Case{fmt::format("haproxy: {{ field: stot, done: stot, {} }}, kind: drain", kPlace),
             "4:58: of a queue it must say what waits now, such as `qcur`"},
        Case{fmt::format("haproxy: {{ field: scur, of: backend, server: 'm{{port}}', {} }}, target: 5", kPlace),
             "4:85: `server` means something with `of: servers` only"},
        Case{fmt::format("haproxy: {{ field: scur, {} }}, target: 5", kPlace),
             "4:49: it is asked for each instance, but only the process runtime knows its instances", kExec},
        Case{"exec: { env: { A: b } }, target: 5", "4:46: `command` is missing here"},
        Case{"exec: [x]", "4:38: a `target` above 0 is needed"}));

}  // namespace
}  // namespace homeostat::config
