// rollout: a new version in stages; where it stands, and what may be done about it.
#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <expected>
#include <memory>
#include <thread>

#include "cli/client.hpp"
#include "cli/follow.hpp"
#include "cli/show.hpp"

namespace homeostat::cli {
namespace {

struct RolloutOptions {
  std::string service;
  std::string version;
  bool skip_gates = false;
  bool force = false;
  bool watch = false;
  std::string metric;
  std::vector<double> values;
  std::vector<double> traffic;
  std::string source;
  std::int64_t sequence = 0;
};

std::string percent(std::int64_t hundredths) {
  return hundredths % 100 == 0 ? fmt::format("{} %", hundredths / 100)
                               : fmt::format("{}.{:02} %", hundredths / 100, hundredths % 100);
}

std::string gates_of(const json::object& rollout) {
  std::string text;
  for (const json::value& item : list_at(rollout, "gates")) {
    const json::object& gate = item.as_object();
    const std::string why = text_at(gate, "why", "");
    text += (text.empty() ? "" : ", ") + text_at(gate, "name") + " " + text_at(gate, "result") +
            (why.empty() ? "" : " (" + why + ")");
  }
  return text;
}

std::string passed_text(const json::object& passed) {
  std::string text = "passed at " + time_at(passed, "at", true);
  const std::string by = text_at(passed, "by", "");
  if (!by.empty()) text += " by " + by;
  std::string waived;
  for (const json::value& gate : list_at(passed, "waived")) {
    waived += (waived.empty() ? "" : ", ") + std::string(gate.as_string());
  }
  return waived.empty() ? text : text + ", without " + waived;
}

// The bounds hold at all times at once: they close in on the change as samples come.
std::string change_text(const json::array& change) {
  if (change.size() != 3) return "-";
  const auto bound = [&](std::size_t i) -> std::string {
    const double percent = change.at(i).is_number() ? 100 * change.at(i).to_number<double>() : HUGE_VAL;
    return std::abs(percent) < 1000 ? fmt::format("{:+.1f}", percent) : "?";
  };
  if (bound(0) == "+0.0" && bound(2) == "+0.0") return "-";
  return fmt::format("{} % ({} … {})", bound(1), bound(0), bound(2));
}

std::string samples_text(const json::array& samples) {
  if (samples.size() != 2) return "-";
  return fmt::format("{} and {}", samples.at(0).to_number<std::uint64_t>(), samples.at(1).to_number<std::uint64_t>());
}

std::string traffic_text(const json::object& rollout) {
  const json::object* traffic = object_at(rollout, "traffic");
  if (traffic == nullptr) return {};
  const std::string fault = text_at(*traffic, "fault", "");
  if (!fault.empty()) return "proxy: " + fault + "\n";
  const std::int64_t all = number_at(*traffic, "requests");
  const char* told = traffic->at("as_told").as_bool() ? "as it was told" : "not yet as it was told";
  if (all == 0) return fmt::format("proxy: divides the requests {}\n", told);
  const std::int64_t fresh = number_at(*traffic, "requests_fresh");
  return fmt::format("proxy: divides the requests {}; {} of {} went to the new version, {:.2f} %\n", told, fresh, all,
                     100.0 * static_cast<double>(fresh) / static_cast<double>(all));
}

std::string about(std::int64_t ms) {
  const auto seconds = std::chrono::round<std::chrono::seconds>(std::chrono::milliseconds(ms));
  return seconds < std::chrono::minutes(2)
             ? fmt::format("about {} s", seconds.count())
             : fmt::format("about {} min", std::chrono::round<std::chrono::minutes>(seconds).count());
}

/// So long until the metric passes, if nothing is wrong.
std::string passes_in(const json::object& metric) {
  const json::value* ms = metric.if_contains("passes_in_ms");
  return ms == nullptr || ms->is_null() ? "-" : about(number_at(metric, "passes_in_ms"));
}

/// Before anything is compared: what could be seen, going by what was compared last.
std::string forecast_text(const json::object& rollout, bool color) {
  const json::array& forecast = list_at(rollout, "forecast");
  if (forecast.empty()) return {};
  Table table({"METRIC", "SEES HARM FROM", "WITHIN", "PASSES AFTER"});
  for (const json::value& item : forecast) {
    const json::object& metric = item.as_object();
    const bool known = metric.at("known").as_bool();
    const bool sees = !metric.at("least_harm").is_null();
    const bool passes = !metric.at("passes_after_ms").is_null();
    table.add({{text_at(metric, "name")},
               {sees    ? fmt::format("{:.1f} %", 100 * metric.at("least_harm").to_number<double>())
                : known ? "none"
                        : "unknown"},
               {about(number_at(metric, "within_ms"))},
               {passes  ? about(number_at(metric, "passes_after_ms"))
                : known ? "not within a month"
                        : "unknown: nothing was compared before"}});
  }
  return "\n" + table.text(color);
}

std::string show_rollout(const json::object& rollout, bool color) {
  std::string out = text_at(rollout, "text", "") + "\n" + traffic_text(rollout);
  const json::array& stages = list_at(rollout, "stages");
  if (stages.empty()) return out;
  Table table({"STAGE", "TRAFFIC", "STATE"});
  const std::int64_t present = number_at(rollout, "stage");
  for (std::size_t i = 0; i < stages.size(); ++i) {
    const json::array& passed = list_at(rollout, "passed");
    const bool over = i < passed.size();
    const bool here = static_cast<std::int64_t>(i) == present && text_at(rollout, "phase") == "baking";
    table.add({{std::to_string(i + 1)},
               {percent(number_at(stages.at(i).as_object(), "traffic_hundredths"))},
               {over   ? passed_text(passed.at(i).as_object())
                : here ? gates_of(rollout)
                       : "-"}});
  }
  out += "\n" + table.text(color) + forecast_text(rollout, color);
  const json::object* judge = object_at(rollout, "judge");
  if (judge == nullptr) return out;
  Table judged({"METRIC", "VERDICT", "CHANGE", "SAMPLES", "PASSES IN", "WHY"});
  for (const json::value& item : list_at(*judge, "metrics")) {
    const json::object& metric = item.as_object();
    judged.add({{text_at(metric, "name")},
                {text_at(metric, "verdict")},
                {change_text(list_at(metric, "change"))},
                {samples_text(list_at(metric, "samples"))},
                {passes_in(metric)},
                {text_at(metric, "why", "")}});
  }
  const std::string fault = text_at(*judge, "fault", "");
  return out + "\n" + judged.text(color) + (fault.empty() ? "" : "a source tells nothing: " + fault + "\n");
}

/// The last rollout of the service, or why there is nothing to show.
std::expected<json::object, int> rollout_of(const Context& context, const std::string& service) {
  const Answer answer = status(context, service);
  if (!answer) return std::unexpected(complain(answer.error()));
  const json::array& services = list_at(*answer, "services");
  const json::object* rollout = services.empty() ? nullptr : object_at(services.at(0).as_object(), "rollout");
  if (rollout == nullptr) return std::unexpected(complain(kBad, "nothing of " + service + " has been rolled out"));
  return *rollout;
}

void print(const Context& context, const json::object& rollout) {
  const std::string text = context.json ? json::serialize(rollout) + "\n" : show_rollout(rollout, context.color());
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

int show(const Context& context, const std::string& service) {
  const auto rollout = rollout_of(context, service);
  if (!rollout) return rollout.error();
  print(context, *rollout);
  return kOk;
}

/// Anew every second until it has ended; on a terminal in the same place.
int watch(const Context& context, const std::string& service) {
  const bool terminal = isatty(STDOUT_FILENO) == 1 && !context.json;
  while (true) {
    const auto rollout = rollout_of(context, service);
    if (!rollout) return rollout.error();
    if (terminal) std::fputs("\x1b[H\x1b[2J", stdout);
    print(context, *rollout);
    const std::string phase = text_at(*rollout, "phase");
    if (phase == "promoted") return kOk;
    if (phase == "rolled_back") return kBad;
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
}

int command(const Context& context, const std::string& name, const RolloutOptions& options) {
  const Answer answer = post(context, "/v1/rollout",
                             {{"service", options.service}, {"command", name}, {"skip_gates", options.skip_gates}});
  if (!answer) return complain(answer.error());
  if (context.json) {
    std::printf("%s\n", json::serialize(*answer).c_str());
    return kOk;
  }
  return show(context, options.service);
}

int start(const Context& context, const RolloutOptions& options) {
  const Answer answer = post(context, "/v1/deploy",
                             {{"service", options.service}, {"version", options.version}, {"force", options.force}});
  if (!answer) return complain(answer.error());
  if (context.json) {
    std::printf("%s\n", json::serialize(*answer).c_str());
    return kOk;
  }
  return show(context, options.service);
}

int sample(const Context& context, const RolloutOptions& options) {
  json::object body{{"service", options.service},
                    {"version", options.version},
                    {"metric", options.metric},
                    {"values", json::value_from(options.values)},
                    {"traffic", json::value_from(options.traffic)}};
  if (!options.source.empty()) body["source"] = options.source;
  if (options.sequence > 0) body["sequence"] = options.sequence;
  const Answer answer = post(context, "/v1/samples", body);
  if (!answer) return complain(answer.error());
  if (context.json) std::printf("%s\n", json::serialize(*answer).c_str());
  return kOk;
}

int past(const Context& context, const std::string& service) {
  std::uint64_t after = 0;
  while (true) {
    const Answer news = lines(context, after, service);
    if (!news) return complain(news.error());
    for (const json::value& item : list_at(*news, "lines")) {
      const json::object& line = item.as_object();
      if (text_at(line, "kind") != "rollout") continue;
      std::printf("%s\n", context.json ? json::serialize(line).c_str() : show_line(line, context.color()).c_str());
    }
    const auto last = static_cast<std::uint64_t>(number_at(*news, "last"));
    if (last <= after) return kOk;
    after = last;
  }
}

}  // namespace

void add_rollout_verbs(CLI::App& app, Context& context) {
  CLI::App* group = app.add_subcommand("rollout", "A new version in stages: where it stands, and what may be done");
  group->require_subcommand(1);
  group->footer("\nExample: homeostat rollout status web\n  homeostat rollout promote web --skip-gates");
  const auto add = [&](const std::string& name, const std::string& what, auto body) {
    const auto options = std::make_shared<RolloutOptions>();
    CLI::App* verb = add_verb(*group, context, name, what, "homeostat rollout " + name + " web",
                              [options, body] { return body(*options); });
    verb->add_option("SERVICE", options->service, "The service")->required();
    return std::pair(verb, options);
  };
  const auto [begin, begun] = add("start", "Begin one, and do not wait for its end (`deploy` waits)",
                                  [&context](const RolloutOptions& options) { return start(context, options); });
  begin->footer("\nExample: homeostat rollout start web v2");
  begin->add_option("VERSION", begun->version, "The release: a folder of the service's `releases`")->required();
  begin->add_flag("--force", begun->force, "Even when the release is quarantined");
  const auto [push, pushed] = add("sample", "Tell the judge what was measured of a version",
                                  [&context](const RolloutOptions& options) { return sample(context, options); });
  push->footer(
      "\nExample: homeostat rollout sample web v2 --metric latency 0.031 0.028\n"
      "  homeostat rollout sample web v2 --metric failed 3 --traffic 1200");
  push->add_option("VERSION", pushed->version, "Which version it was measured of")->required();
  push->add_option("VALUES", pushed->values, "Samples; of `errors` and `events`: so many of them")->required();
  push->add_option("--metric", pushed->metric, "Its name in the rollout's `judge`")->required();
  push->add_option("--traffic", pushed->traffic, "… of so many, one for each value");
  push->add_option("--source", pushed->source, "Who tells it: what he has told already is not counted again …");
  push->add_option("--sequence", pushed->sequence, "… by this number, which grows")->needs("--source");
  const auto [status, shown] = add("status", "Where it stands", [&context](const RolloutOptions& o) {
    return o.watch ? watch(context, o.service) : show(context, o.service);
  });
  status->add_flag("--watch", shown->watch, "Until it has ended: 0 when it was promoted, 1 when it was rolled back");
  add("history", "All that became of rollouts",
      [&context](const RolloutOptions& o) { return past(context, o.service); });
  const auto add_command = [&](const std::string& name, const std::string& what) {
    return add(name, what, [&context, name](const RolloutOptions& options) { return command(context, name, options); });
  };
  const auto [promote, promoted] = add_command("promote", "End the bake or the pause of this stage");
  promote->add_flag("--skip-gates", promoted->skip_gates, "Waive every gate that is left, and say so in the history");
  add_command("abort", "Go back to the old version");
  add_command("freeze", "Move nothing, in either direction");
  add_command("resume", "End a freeze, or the pause of a stage");
  add_command("retry", "This stage's gates anew, or all of it after a rollback");
  add_command("approve", "Pass the stage's approval");
}

}  // namespace homeostat::cli
