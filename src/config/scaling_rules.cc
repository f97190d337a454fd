// What governs the autoscaler beyond its metrics: the hour, missing metrics, idleness, whether it helps.
#include <algorithm>

#include "config/draft.hpp"
#include "os/zone.hpp"

namespace homeostat::config {
namespace {

Type<std::int32_t> instances(std::uint32_t least) { return converted<std::int32_t>(count_type(least, 10'000)); }

}  // namespace

Type<CronTime> cron_type() {
  return {{"cron expression", R"({"type":"string"})"}, [](const Node& node, Reader& reader, CronTime& out) {
            std::string text;
            const std::size_t before = reader.found();
            text_type().read(node, reader, text);
            if (reader.found() != before) return;
            const auto cron = parse_cron(text);
            if (!cron) return reader.problem(node.at, quote(text) + ": " + cron.error());
            if (!next_match(*cron, 0)) return reader.problem(node.at, quote(text) + ": there is no such day");
            out = *cron;
          }};
}

Type<std::string> zone_type() {
  return {{"time zone", R"({"type":"string"})"}, [](const Node& node, Reader& reader, std::string& out) {
            std::string zone;
            const std::size_t before = reader.found();
            text_type().read(node, reader, zone);
            if (reader.found() != before) return;
            if (!os::local_minutes(zone, 0))
              return reader.problem(node.at, quote(zone) + " is no time zone of this machine (write `Europe/Berlin`)");
            out = zone;
          }};
}

const Table<ScalingSchedule>& schedule_table() {
  static const Table<ScalingSchedule> table = [] {
    Table<ScalingSchedule> rows("scaling.schedule",
                                "Other bounds from one time to another. Where several hold, the highest counts.");
    rows.add("start", &ScalingSchedule::start, cron_type(),
             {.text = "From then: minute, hour, day, month, weekday, as crontab(5).",
              .example = "0 8 * * mon-fri",
              .required = true});
    rows.add("end", &ScalingSchedule::end, cron_type(),
             {.text = "Until then.", .example = "0 18 * * mon-fri", .required = true});
    rows.add("zone", &ScalingSchedule::zone, zone_type(),
             {.text = "The time zone of both, by its name in the system's zone data.",
              .fallback = "UTC",
              .example = "Europe/Berlin"});
    rows.add("min", &ScalingSchedule::min, maybe(instances(0)),
             {.text = "Never fewer meanwhile.", .otherwise = "that of `scaling`", .example = "4"});
    rows.add("max", &ScalingSchedule::max, maybe(instances(1)),
             {.text = "Never more meanwhile.", .otherwise = "that of `scaling`", .example = "20"});
    return rows;
  }();
  return table;
}

const Table<FallbackRule>& fallback_table() {
  static const Table<FallbackRule> table = [] {
    Table<FallbackRule> rows("scaling.fallback",
                             "What to do while a metric cannot be read. It is never a reason to take any away.");
    rows.add("after", &FallbackRule::after, instances(1),
             {.text = "So many times in a row it could not be read.", .fallback = "3", .example = "8"});
    rows.add("instances", &FallbackRule::instances, instances(1),
             {.text = "At least so many then.", .example = "6", .required = true});
    return rows;
  }();
  return table;
}

const Table<ActivationDraft>& activation_table() {
  static const Table<ActivationDraft> table = [] {
    Table<ActivationDraft> rows("scaling.activation", "When none is needed, and when one is again. It needs `min: 0`.");
    rows.add("metric", &ActivationDraft::metric, name_type("metric"),
             {.text = "Which metric tells that the service is in use; one of the service as a whole.",
              .example = "waiting",
              .required = true});
    rows.add("above", &ActivationDraft::above, decimal_type(),
             {.text = "In use while it measures more.", .fallback = "0", .example = "0.5"});
    rows.add("idle_for", &ActivationDraft::idle_for, duration_type(Duration{}),
             {.text = "Not in use for so long: none is needed.", .fallback = "5m", .example = "30m"});
    return rows;
  }();
  return table;
}

const Table<HelpRule>& help_table() {
  static const Table<HelpRule> table = [] {
    Table<HelpRule> rows("scaling.help",
                         "Whether added instances help. Where they do not, more are no remedy: it grows no more for a "
                         "while and calls somebody.");
    rows.add("tries", &HelpRule::tries, instances(0),
             {.text = "So many times in a row that it did not help; 0: never asked.", .fallback = "5", .example = "3"});
    rows.add("improvement", &HelpRule::improvement, ratio_type(),
             {.text = "By so much of itself the metric has to fall.", .fallback = "5%", .example = "10%"});
    rows.add("settle", &HelpRule::settle, duration_type(Duration{}),
             {.text = "How long after the added ones are ready it is judged.", .fallback = "1m", .example = "30s"});
    rows.add("hold", &HelpRule::hold, duration_type(std::chrono::seconds(1)),
             {.text = "How long it grows no more.", .fallback = "10m", .example = "30m"});
    return rows;
  }();
  return table;
}

}  // namespace homeostat::config
