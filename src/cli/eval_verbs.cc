// eval
#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>

#include "cli/canary_eval.hpp"
#include "cli/context.hpp"
#include "cli/scaling_input.hpp"
#include "config/file.hpp"
#include "config/value.hpp"
#include "homeostat/canary_forecast.hpp"

namespace homeostat::cli {
namespace {

constexpr std::size_t kLooks = 240;

struct CanaryChoice {
  std::string file = "-";
  std::string mode;  // these three: empty where not given
  std::string kind;
  std::string worse;
  std::string plot;
  // The forecast.
  bool forecast = false;
  std::string within = "30m";
  canary::Traffic traffic{.canary_per_minute = 60, .baseline_per_minute = 0};
};

std::expected<std::string, Error> read_standard_input(std::size_t most) {
  std::string text;
  std::array<char, 65536> buffer{};
  while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), stdin)) {
    text.append(buffer.data(), n);
    if (text.size() > most) return fail(fmt::format("standard input is longer than {} MiB", most >> 20));
  }
  return text;
}

std::expected<std::string, Error> read_all(const std::string& file, std::size_t most) {
  return file == "-" ? read_standard_input(most) : config::read_file(file, most);
}

std::expected<CanaryInput, Error> read_input(const CanaryChoice& choice) {
  const auto text = read_all(choice.file, kMostCanaryBytes);
  if (!text) return std::unexpected(text.error());
  const std::size_t first = text->find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return fail("the input is empty");
  if ((*text)[first] == '{') {
    if (choice.mode.empty() && choice.kind.empty() && choice.worse.empty()) return read_canary_json(*text);
    return fail("--mode, --kind and --worse are for columns; JSON says them itself");
  }
  return read_canary_csv(*text, {.mode = canary_mode(choice.mode).value_or(CanaryMode::native),
                                 .kind = canary_kind(choice.kind),
                                 .worse = canary_worse(choice.worse)});
}

int eval_canary(const Context& context, const CanaryChoice& choice) {
  const auto input = read_input(choice);
  if (!input) return complain(kUsage, input.error().text);
  const auto looks = canary_looks(*input, kLooks);
  if (!looks) return complain(kUsage, looks.error().text);
  const json::object answer = judge_canary(*input, *looks);
  if (!choice.plot.empty()) {
    if (looks->empty()) return complain(kUsage, "--plot needs the native mode: the others know one moment only");
    std::ofstream file(choice.plot, std::ios::trunc);
    file << picture_canary(*input, *looks);
    if (!file.flush()) return complain(kUsage, choice.plot + " cannot be written");
  }
  std::fputs(context.json ? (json::serialize(answer) + "\n").c_str() : show_canary(answer, context.color()).c_str(),
             stdout);
  return text_at(answer, "verdict") == "pass" ? kOk : kBad;
}

int forecast_canary(const Context& context, const CanaryChoice& choice) {
  const auto within = config::parse_duration(choice.within);
  if (!within) return complain(kUsage, "--within is a duration such as 30m");
  canary::Traffic traffic = choice.traffic;
  if (traffic.baseline_per_minute == 0) traffic.baseline_per_minute = traffic.canary_per_minute;
  const canary::Metric metric{.name = "metric",
                              .kind = canary_kind(choice.kind).value_or(canary::Kind::latency),
                              .worse = canary_worse(choice.worse).value_or(canary::Worse::higher)};
  const canary::Forecast seen = canary::forecast(metric, {}, 1, traffic, *within);
  if (context.json) {
    json::object answer{{"least_harm_pct", nullptr}, {"passes_after_s", nullptr}};
    if (seen.least_harm) answer["least_harm_pct"] = 100 * *seen.least_harm;
    if (seen.passes_after) answer["passes_after_s"] = std::chrono::duration<double>(*seen.passes_after).count();
    std::printf("%s\n", json::serialize(answer).c_str());
    return kOk;
  }
  std::fputs(seen.least_harm ? fmt::format("within {} harm of {:.1f} % or more is proven, with even odds or better\n",
                                           choice.within, 100 * *seen.least_harm)
                                   .c_str()
                             : fmt::format("within {} no harm can be proven\n", choice.within).c_str(),
             stdout);
  const auto minutes = [](Duration span) { return std::chrono::duration<double, std::ratio<60>>(span).count(); };
  std::fputs(seen.passes_after ? fmt::format("a version that does no harm passes after about {:.1f} minutes\n",
                                             minutes(*seen.passes_after))
                                     .c_str()
                               : "a version that does no harm does not pass within a month\n",
             stdout);
  return kOk;
}

int eval_scaling(const Context& context, const std::string& file) {
  const auto text = read_all(file, kMostScalingBytes);
  if (!text) return complain(kUsage, text.error().text);
  auto question = read_scaling_json(*text);
  if (!question) return complain(kUsage, question.error().text);
  const json::object answer = decide_scaling(*question);
  std::fputs(context.json ? (json::serialize(answer) + "\n").c_str() : show_scaling(answer, context.color()).c_str(),
             stdout);
  return kOk;
}

void add_scaling_verb(CLI::App& eval, Context& context) {
  const auto file = std::make_shared<std::string>("-");
  CLI::App* verb = add_verb(eval, context, "scaling", "How many instances should there be, and why?",
                            "homeostat eval scaling examples/scaling/busy.json --json",
                            [&context, file] { return eval_scaling(context, *file); });
  verb->add_option("FILE", *file, "JSON: the policy, the instances, the metrics; -: standard input")
      ->capture_default_str();
}

}  // namespace

void add_eval_verbs(CLI::App& app, Context& context) {
  const auto choice = std::make_shared<CanaryChoice>();
  CLI::App* eval = app.add_subcommand("eval", "Put figures of your own to one of the decision-makers");
  eval->require_subcommand(1);
  add_scaling_verb(*eval, context);
  CLI::App* verb =
      add_verb(*eval, context, "canary", "Is the new version as good as the old one?",
               "homeostat eval canary latencies.csv --plot canary.svg", [&context, choice] {
                 return choice->forecast ? forecast_canary(context, *choice) : eval_canary(context, *choice);
               });
  verb->add_option("FILE", choice->file, "JSON, or columns canary,baseline or time,canary,baseline; -: standard input")
      ->capture_default_str();
  verb->add_option("--mode", choice->mode, "Of columns: how they are judged (native)")
      ->check(CLI::IsMember({"native", "kayenta", "simple"}));
  verb->add_option("--kind", choice->kind, "Of columns: latency where all is positive, else value")
      ->check(CLI::IsMember({"latency", "value", "errors", "events"}));
  verb->add_option("--worse", choice->worse, "Of columns: which change does harm (higher; Kayenta: either)")
      ->check(CLI::IsMember({"higher", "lower", "either"}));
  verb->add_option("--plot", choice->plot, "Draw what was known, and how it narrowed, as an SVG");
  verb->add_flag("--forecast", choice->forecast, "Judge nothing: what will be seen, and how soon?");
  verb->add_option("--requests", choice->traffic.canary_per_minute, "Forecast: samples a minute of the canary")
      ->capture_default_str();
  verb->add_option("--baseline-requests", choice->traffic.baseline_per_minute, "Forecast: of the baseline; as many");
  verb->add_option("--spread", choice->traffic.spread, "Forecast: standard deviation of a latency's natural logarithm")
      ->capture_default_str();
  verb->add_option("--rate", choice->traffic.rate, "Forecast: errors of the baseline, as a share")
      ->capture_default_str();
  verb->add_option("--within", choice->within, "Forecast: time that there is")->capture_default_str();
}

}  // namespace homeostat::cli
