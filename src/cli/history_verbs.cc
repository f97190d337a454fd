// history, stats
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <thread>

#include "cli/client.hpp"
#include "cli/show.hpp"

namespace homeostat::cli {
namespace {

constexpr std::chrono::milliseconds kPoll{200};

struct HistoryOptions {
  std::string service;
  std::uint64_t incident = 0;
  std::string since;
  std::uint32_t limit = 20;
  bool follow = false;
  bool all = false;
};

std::string query_of(const HistoryOptions& options) {
  std::string query = fmt::format("?limit={}", options.limit);
  if (!options.service.empty()) query += "&service=" + escape(options.service);
  if (options.incident != 0) query += fmt::format("&incident={}", options.incident);
  if (!options.since.empty()) query += "&since=" + escape(options.since);
  if (options.all) query += "&all=true";
  return query;
}

bool wanted(const HistoryOptions& options, const json::object& line) {
  if (options.incident != 0 && number_at(line, "incident") != static_cast<std::int64_t>(options.incident)) return false;
  return options.all ||
         (!flag_at(line, "detail") && (text_at(line, "incident") != "-" || text_at(line, "kind") != "config"));
}

/// New lines as they come, until the daemon ends or the reader does.
int follow(const Context& context, const HistoryOptions& options) {
  const Answer now = get(context, "/v1/status");
  if (!now) return complain(now.error());
  auto after = static_cast<std::uint64_t>(number_at(*now, "seq"));
  while (true) {
    const Answer news = lines(context, after, options.service);
    if (!news) return complain(news.error());
    for (const json::value& item : list_at(*news, "lines")) {
      const json::object& line = item.as_object();
      if (!wanted(options, line)) continue;
      const std::string text = context.json ? json::serialize(line) : show_line(line, context.color());
      if (std::printf("%s\n", text.c_str()) < 0 || std::fflush(stdout) != 0) return kOk;
    }
    after = std::max(after, static_cast<std::uint64_t>(number_at(*news, "last")));
    std::this_thread::sleep_for(kPoll);
  }
}

int run_history(const Context& context, const HistoryOptions& options) {
  const Answer answer = history(context, query_of(options));
  if (!answer) return complain(answer.error());
  const bool skip = options.follow && context.json;  // one object a line: only what is new
  if (!skip) {
    std::fputs(
        context.json ? (json::serialize(*answer) + "\n").c_str() : show_history(*answer, context.color()).c_str(),
        stdout);
    std::fflush(stdout);
  }
  return options.follow ? follow(context, options) : kOk;
}

int run_stats(const Context& context, const std::string& window, const std::string& service) {
  const Answer answer = stats(context, window, service);
  if (!answer) return complain(answer.error());
  std::fputs(context.json ? (json::serialize(*answer) + "\n").c_str() : show_stats(*answer, context.color()).c_str(),
             stdout);
  return kOk;
}

}  // namespace

void add_history_verbs(CLI::App& app, Context& context) {
  const auto options = std::make_shared<HistoryOptions>();
  CLI::App* verb = add_verb(app, context, "history", "What happened: a timeline for each incident, the newest first",
                            "homeostat history web --since 1h --follow",
                            [&context, options] { return run_history(context, *options); });
  verb->add_option("SERVICE", options->service, "Only this service");
  verb->add_option("--incident", options->incident, "Only the incident with this number");
  verb->add_option("--since", options->since, "Only what ended within this time, such as 1h or 7d");
  verb->add_option("--limit", options->limit, "At most this many incidents")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  verb->add_flag("--follow", options->follow, "Go on printing new lines as they happen");
  verb->add_flag("--all", options->all, "With every change of status, deployments, pauses, starts of Homeostat …");

  const auto window = std::make_shared<std::string>("30d");
  const auto service = std::make_shared<std::string>();
  CLI::App* figures = add_verb(
      app, context, "stats", "Availability, times to detect and repair, and which repairs helped",
      "homeostat stats --window 7d", [&context, window, service] { return run_stats(context, *window, *service); });
  figures->add_option("SERVICE", *service, "Only this service");
  figures->add_option("--window", *window, "The time up to now that is looked at")->capture_default_str();
}

}  // namespace homeostat::cli
