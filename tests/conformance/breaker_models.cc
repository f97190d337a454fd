#include "breaker_models.hpp"

#include <algorithm>
#include <map>

#include "core/breaker_gobreaker.hpp"
#include "homeostat/breaker_machine.hpp"

namespace conformance {
namespace {

using namespace homeostat;

Duration milliseconds(const json::value& value) { return std::chrono::milliseconds(value.to_number<std::int64_t>()); }

class GobreakerModel : public BreakerModel {
 public:
  explicit GobreakerModel(const GobreakerOptions& options) : breaker_(options, Instant{}) {}

  bool acquire(std::string_view id, Instant now) override {
    const auto ticket = breaker_.acquire(now);
    if (ticket) tickets_[std::string(id)] = *ticket;
    return ticket.has_value();
  }
  void finish(std::string_view id, CallOutcome outcome, Duration, Instant now) override {
    if (const auto held = tickets_.extract(std::string(id))) breaker_.finish(held.mapped(), outcome, now);
  }
  bool force(BreakerState, Instant) override { return false; }
  void advance(Instant) override {}
  BreakerState state(Instant now) override { return breaker_.state(now); }
  json::object counts(Instant now) override {
    state(now);  // looking at the state is what moves the window on
    const GobreakerCounts& c = breaker_.counts();
    return {{"requests", c.requests}, {"successes", c.successes},      {"failures", c.failures},
            {"excluded", c.excluded}, {"cs", c.consecutive_successes}, {"cf", c.consecutive_failures}};
  }

 private:
  Gobreaker breaker_;
  std::map<std::string, Gobreaker::Ticket> tickets_;
};

class MachineModel : public BreakerModel {
 public:
  MachineModel(const BreakerOptions& options, const BreakerRules& rules) : machine_(options, rules) {}

  bool acquire(std::string_view id, Instant now) override {
    const auto ticket = machine_.acquire(now);
    if (ticket) tickets_[std::string(id)] = *ticket;
    return ticket.has_value();
  }
  void finish(std::string_view id, CallOutcome outcome, Duration took, Instant now) override {
    if (const auto held = tickets_.extract(std::string(id))) machine_.finish(held.mapped(), {outcome, took}, now);
  }
  bool force(BreakerState to, Instant now) override { return machine_.force(to, now); }
  void advance(Instant now) override { machine_.poll(now); }
  BreakerState state(Instant) override { return machine_.state(); }
  json::object counts(Instant now) override {
    const BreakerStatus s = machine_.status(now);
    return {{"calls", s.calls},
            {"failures", s.failure_count},
            {"slow", s.slow_count},
            {"not_permitted", s.not_permitted},
            {"failure_rate_pct", s.failure_rate.value_or(-1)},
            {"slow_rate_pct", s.slow_rate.value_or(-1)}};
  }

 private:
  BreakerMachine machine_;
  std::map<std::string, BreakerMachine::Ticket> tickets_;
};

std::expected<GobreakerOptions, std::string> gobreaker_options(const json::object& config) {
  GobreakerOptions options;
  const json::object& trip = config.at("trip").as_object();
  if (trip.at("kind") == "consecutive") {
    options.more_than = trip.at("more_than").to_number<std::uint64_t>();
  } else if (trip.at("kind") == "rate") {
    options.failure_rate = trip.at("failure_rate_pct").to_number<double>();
    options.min_calls = std::max<std::uint64_t>(1, trip.at("min_calls").to_number<std::uint64_t>());
  } else {
    return std::unexpected("config.trip.kind is not known");
  }
  const json::object& window = config.at("window").as_object();
  if (window.at("kind") == "fixed" || window.at("kind") == "rolling") {
    options.interval = milliseconds(window.at("ms"));
    if (window.at("kind") == "rolling") options.bucket_period = milliseconds(window.at("bucket_ms"));
  } else if (window.at("kind") != "none") {
    return std::unexpected("config.window.kind is not known");
  }
  options.max_requests = config.at("half_open_permits").to_number<std::uint32_t>();
  options.timeout = milliseconds(config.at("open_ms"));
  return options;
}

std::expected<BreakerOptions, std::string> machine_options(const json::object& config) {
  BreakerOptions options;
  const json::object& window = config.at("window").as_object();
  const auto size = window.at("size").to_number<std::uint32_t>();
  options.min_calls = config.at("min_calls").to_number<std::uint32_t>();
  options.half_open_max_calls = config.at("half_open_permits").to_number<std::uint32_t>();
  options.success_threshold = std::min(options.min_calls, options.half_open_max_calls);
  if (window.at("kind") == "count") {
    options.window_calls = size;
    options.min_calls = std::min(options.min_calls, size);
  } else if (window.at("kind") == "time") {
    options.window_time = std::chrono::seconds(size);
    options.window_buckets = size;
  } else {
    return std::unexpected("config.window.kind is not known");
  }
  options.half_open_by_rate = true;
  options.failure_rate = config.at("failure_rate_pct").to_number<double>();
  options.slow_rate = config.at("slow_rate_pct").to_number<double>();
  options.slow_above = milliseconds(config.at("slow_ms"));
  options.open_for = milliseconds(config.at("open_ms"));
  options.open_cap = std::chrono::hours(24 * 365);
  if (const json::value* backoff = config.if_contains("open_backoff")) {
    options.open_for = milliseconds(backoff->at("initial_ms"));
    options.open_factor = backoff->at("multiplier").to_number<double>();
  }
  options.half_open_for = options.open_cap;
  const json::value* most = config.if_contains("half_open_max_ms");
  if (most != nullptr && most->to_number<std::int64_t>() > 0) options.half_open_for = milliseconds(*most);
  if (auto valid = validate(options); !valid) return std::unexpected("config." + valid.error());
  return options;
}

BreakerRules resilience4j_rules(const json::object& config) {
  BreakerRules rules;
  rules.keep_late_results = true;
  rules.strictly_after = true;
  rules.spend_probes = true;
  rules.whole_milliseconds = true;
  rules.watch_never_opens = true;
  const json::value* most = config.if_contains("half_open_max_ms");
  const json::value* to = config.if_contains("half_open_timeout_to");
  if (most != nullptr && most->to_number<std::int64_t>() > 0) {
    rules.half_open_to_closed = to != nullptr && *to == "closed";
    rules.half_open_to_open = !rules.half_open_to_closed;
  }
  return rules;
}

}  // namespace

std::expected<std::unique_ptr<BreakerModel>, std::string> make_breaker_model(std::string_view model,
                                                                             const json::object& config) {
  if (model == "gobreaker") {
    const auto options = gobreaker_options(config);
    if (!options) return std::unexpected(options.error());
    return std::make_unique<GobreakerModel>(*options);
  }
  if (model != "resilience4j" && model != "native") return std::unexpected("model is not known: " + std::string(model));
  const auto options = machine_options(config);
  if (!options) return std::unexpected(options.error());
  return std::make_unique<MachineModel>(*options, model == "native" ? BreakerRules{} : resilience4j_rules(config));
}

}  // namespace conformance
