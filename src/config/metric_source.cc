#include "config/metric_source.hpp"

#include <fmt/format.h>

#include "config/draft.hpp"
#include "config/resolve_parts.hpp"

namespace homeostat::config {
namespace {

// The autoscaler waits ten seconds for all of its sources.
constexpr Duration kLongest = std::chrono::seconds(8);

probe::Spec asked(const probe::SourceSpec& source) {
  if (const auto* http = std::get_if<probe::HttpSource>(&source.from)) return http->request;
  if (const auto* exec = std::get_if<probe::ExecSpec>(&source.from)) return *exec;
  return probe::FileSpec{};  // HAProxy: nothing is filled in
}

Type<Duration> timeout_type() {
  Type<Duration> type = duration_type(std::chrono::milliseconds(1));
  type.read = [read = type.read](const Node& node, Reader& reader, Duration& out) {
    read(node, reader, out);
    if (out > kLongest)
      reader.problem(node.at,
                     fmt::format("{} is too long: the longest is {}", quote(node.text), show_duration(kLongest)));
  };
  return type;
}

}  // namespace

const Table<SourceTiming>& source_timing_table() {
  static const Table<SourceTiming> table = [] {
    Table<SourceTiming> rows("source_timing", "How long a source may take, and how old its numbers may be.");
    rows.add("timeout", &SourceTiming::timeout, timeout_type(),
             {.text = "An answer that takes longer is none; at most 8s.", .fallback = "2s", .example = "500ms"});
    rows.add("fresh_within", &SourceTiming::fresh_within, duration_type(std::chrono::milliseconds(1)),
             {.text = "A number that is older is not used. It is as old as the source says; where it says nothing, it "
                      "was measured when it was asked for.",
              .fallback = "1m",
              .example = "30s"});
    return rows;
  }();
  return table;
}

bool by_instance(const SourceDraft& source) { return source.spec.each_instance || !source.spec.instance_label.empty(); }

void finish_source(std::string_view kind, const SourceTiming& timing, SourceDraft& out) {
  out.kind = kind;
  out.spec.timeout = timing.timeout;
  out.spec.fresh_within = timing.fresh_within;
  out.spec.each_instance = tells_apart(asked(out.spec));
  out.spec.each_version = uses(asked(out.spec), "{version}");
}

engine::SourcePlan resolve_source(const Resolution& in, const Named<ServiceDraft>& service, const Node& metric,
                                  const SourceDraft& source, MetricKind kind) {
  const Position at = metric.where(std::string(source.kind));
  probe::SourceSpec spec = source.spec;
  const bool queue = kind == MetricKind::drain;
  if (std::holds_alternative<probe::ExecSpec>(spec.from)) spec.queue = queue;
  if (spec.queue != queue) {
    in.reader.problem(at, queue ? "`drain` needs to know what was done, too: `done`"
                                : "`done` means something for a metric of kind `drain` only");
  }
  std::vector<probe::Spec> texts{asked(spec)};
  if (!spec.instance_label.empty()) texts.push_back(probe::FileSpec{.path = spec.instance_label});
  for (const probe::Spec& text : texts) check_placeholders(in, text, service.value, metric);
  if (by_instance(source) && !service.value.run.plan.managed)
    in.reader.problem(at, "it is asked for each instance, but only the process runtime knows its instances");
  if (spec.each_instance && !spec.instance_label.empty())
    in.reader.problem(at, "with `label` one query tells of all instances; it cannot be another for each");
  engine::SourcePlan plan;
  plan.kind = engine::MetricSource::outside;
  plan.reference = static_cast<std::uint32_t>(in.config.sources.size());
  plan.identity = source.identity;
  plan.fresh_within = spec.fresh_within;
  in.config.sources.push_back(std::move(spec));
  return plan;
}

}  // namespace homeostat::config
