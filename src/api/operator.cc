#include "api/operator.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <vector>

#include "api/json.hpp"
#include "config/problem.hpp"
#include "config/value.hpp"
#include "engine/ladder.hpp"
#include "engine/rollout.hpp"

namespace homeostat::api {
namespace {

using engine::Operator;
using engine::Verb;

/// The members of a request's body; asks of a wrong type or name leave a refusal behind.
class Body {
 public:
  Body(const Request& request, const std::vector<std::string_view>& allowed) {
    auto object = parse_object(request.body.empty() ? "{}" : request.body);
    if (!object) refuse_with(400, object.error().text);
    if (!object) return;
    object_ = std::move(*object);
    for (const auto& member : object_) {
      const std::string_view key(member.key().data(), member.key().size());
      if (std::ranges::find(allowed, key) != allowed.end()) continue;
      const std::string hint = config::nearest(key, allowed);
      refuse_with(400, fmt::format("{} is not known here{}", config::quote(key),
                                   hint.empty() ? "" : fmt::format(" (did you mean `{}`?)", hint)));
    }
  }

  std::string text(std::string_view key) {
    const json::value* value = object_.if_contains(key);
    if (value == nullptr || value->is_null()) return {};
    if (value->is_string()) return std::string(value->get_string());
    refuse_with(400, fmt::format("`{}` must be a string", key));
    return {};
  }
  bool flag(std::string_view key) {
    const json::value* value = object_.if_contains(key);
    if (value == nullptr || value->is_null()) return false;
    if (value->is_bool()) return value->get_bool();
    refuse_with(400, fmt::format("`{}` must be true or false", key));
    return false;
  }
  engine::Slot slot() {
    const json::value* value = object_.if_contains("slot");
    if (value == nullptr || value->is_null()) return engine::kWhole;
    if (value->is_int64() && value->get_int64() >= 0 && value->get_int64() < 1'000'000) {
      return static_cast<engine::Slot>(value->get_int64());
    }
    refuse_with(400, "`slot` must be the number of an instance, from 0");
    return engine::kWhole;
  }

  std::optional<std::int32_t> number(std::string_view key, std::int32_t most) {
    const json::value* value = object_.if_contains(key);
    if (value == nullptr || value->is_null()) return std::nullopt;
    if (value->is_int64() && value->get_int64() >= 0 && value->get_int64() <= most) {
      return static_cast<std::int32_t>(value->get_int64());
    }
    refuse_with(400, fmt::format("`{}` must be a number from 0 to {}", key, most));
    return std::nullopt;
  }

  /// 0: it is not there.
  std::uint64_t natural(std::string_view key) {
    const json::value* value = object_.if_contains(key);
    if (value == nullptr || value->is_null()) return 0;
    if (value->is_int64() && value->get_int64() > 0) return static_cast<std::uint64_t>(value->get_int64());
    refuse_with(400, fmt::format("`{}` must be a whole number from 1", key));
    return 0;
  }

  std::vector<double> numbers(std::string_view key) {
    constexpr std::size_t kMost = 10'000;
    const json::value* value = object_.if_contains(key);
    if (value == nullptr || value->is_null()) return {};
    std::vector<double> out;
    const json::array* list = value->if_array();
    for (std::size_t i = 0; list != nullptr && i < list->size() && list->size() <= kMost; ++i) {
      if (list->at(i).is_number()) out.push_back(list->at(i).to_number<double>());
    }
    if (list == nullptr || out.size() != list->size()) {
      refuse_with(400, fmt::format("`{}` must be a list of at most {} numbers", key, kMost));
    }
    return out;
  }

  void refuse_with(unsigned status, std::string_view text) {
    if (!refusal_) refusal_ = refuse(status, text);
  }
  bool refused() const { return refusal_.has_value(); }
  const std::optional<Response>& refusal() const { return refusal_; }

 private:
  json::object object_;
  std::optional<Response> refusal_;
};

void read_service(Body& body, const engine::Engine& engine, Operator& out, bool required) {
  if (out.service.empty()) {
    if (required) body.refuse_with(400, "`service` is missing");
    return;
  }
  const auto id = engine.find_service(out.service);
  if (!id) {
    std::vector<std::string_view> names;
    for (const auto& plan : engine.plan().services) names.push_back(plan.name);
    const std::string hint = config::nearest(out.service, names);
    return body.refuse_with(404, fmt::format("there is no service {}{}", config::quote(out.service),
                                             hint.empty() ? "" : fmt::format(" (did you mean `{}`?)", hint)));
  }
  const std::uint32_t instances = engine.plan().services[*id].instances;
  if (out.slot >= 0 && static_cast<std::uint32_t>(out.slot) >= instances) {
    body.refuse_with(
        404, fmt::format("{} has {} instance{}, numbered from 0", out.service, instances, instances == 1 ? "" : "s"));
  }
}

void refuse_while_rolling(Body& body, const engine::OperationMoved& operation) {
  body.refuse_with(409,
                   fmt::format("a {} of {} is under way [{}]; wait until it ends, see `homeostat status {}`",
                               name_of(operation.kind), operation.service, show_id(operation.id), operation.service));
}

void read_move(Body& body, const engine::Engine& engine, Operator& out) {
  out.slot = body.slot();
  read_service(body, engine, out, true);
  if (body.refused()) return;
  const engine::ServicePlan& plan = engine.plan().services[*engine.find_service(out.service)];
  const bool can = out.verb == Verb::restart ? plan.runtime.restart : plan.runtime.start_stop;
  if (!can) return body.refuse_with(409, "the runtime of " + out.service + " has no command for this");
  const auto state = engine.durable().services.find(out.service);
  const bool rolling = state != engine.durable().services.end() && state->second.operation;
  if (rolling && out.verb == Verb::restart) refuse_while_rolling(body, *state->second.operation);
}

// Who numbers what he tells may tell it again.
void read_sequence(Body& body, const engine::Engine& engine, Operator& out) {
  out.source = body.text("source");
  out.sequence = body.natural("sequence");
  if (body.refused() || (out.source.empty() && out.sequence == 0)) return;
  if (!is_version(out.source) || out.sequence == 0) {
    return body.refuse_with(400,
                            "`source` must be 1 to 128 of A-Z a-z 0-9 . _ -, and `sequence` its next number from 1");
  }
  const auto& told = engine.state().services[*engine.find_service(out.service)].told;
  if (told.size() >= engine::kMostTellers && !told.contains(out.source)) {
    body.refuse_with(409, fmt::format("{} sources have told the judge of {} something already; that is as many as it "
                                      "tells apart",
                                      engine::kMostTellers, out.service));
  }
}

void read_samples(Body& body, const engine::Engine& engine, Operator& out) {
  const std::string metric = body.text("metric");
  const std::string version = body.text("version");
  const auto values = body.numbers("values");
  const auto traffic = body.numbers("traffic");
  read_service(body, engine, out, true);
  if (body.refused()) return;
  const engine::ServicePlan& plan = engine.plan().services[*engine.find_service(out.service)];
  const auto known = engine.durable().services.find(out.service);
  if (!plan.rollout || plan.rollout->metrics.empty()) {
    return body.refuse_with(409, out.service + " has no `judge` in a `rollout` of its configuration");
  }
  const auto& metrics = plan.rollout->metrics;
  const auto found = std::ranges::find(metrics, metric, &canary::Metric::name);
  if (found == metrics.end()) return body.refuse_with(404, "no metric is called " + config::quote(metric));
  if (plan.rollout->source_of(static_cast<std::size_t>(found - metrics.begin())).kind != engine::JudgeSource::pushed)
    return body.refuse_with(409, config::quote(metric) + " is measured by Homeostat itself");
  const bool counted = found->kind == canary::Kind::errors || found->kind == canary::Kind::events;
  if (values.empty() || (counted ? traffic.size() != values.size() : !traffic.empty())) {
    return body.refuse_with(400, counted ? "`values` and `traffic` must be as many numbers: events, and of how many"
                                         : "`values` must be numbers, without `traffic`");
  }
  const auto& state = known == engine.durable().services.end() ? Boxed<rollout::State>{} : known->second.rollout;
  if (!state || (version != state->to && version != state->from)) {
    return body.refuse_with(409, config::quote(version) + " is none of the versions that are compared now");
  }
  read_sequence(body, engine, out);
  if (body.refused()) return;
  const auto arm = version == state->to ? canary::Arm::canary : canary::Arm::baseline;
  for (std::size_t i = 0; i < values.size(); ++i) {
    out.samples.push_back(
        {static_cast<std::uint32_t>(found - metrics.begin()), arm, values[i], counted ? traffic[i] : 0});
  }
}

/// Why a deployment by a rollout begins nothing; empty: it does.
std::string no_rollout(const engine::ServicePlan& plan, const engine::ServiceState& known, const Operator& out) {
  if (!plan.rollout) return {};
  if (known.rollout && !ended(*known.rollout)) {
    rollout::State state = *known.rollout;
    const auto done = supersede(state, out.version);
    return done ? "" : done.error();
  }
  const std::string& version = known.version.empty() ? plan.release : known.version.str();
  return version == out.version ? out.service + " runs " + version + " already" : "";
}

void read_deploy(Body& body, const engine::Engine& engine, Operator& out) {
  out.version = body.text("version");
  out.force = body.flag("force");
  read_service(body, engine, out, true);
  if (body.refused()) return;
  if (!is_version(out.version)) {
    return body.refuse_with(400, "`version` must be 1 to 128 of A-Z a-z 0-9 . _ -");
  }
  const engine::ServicePlan& plan = engine.plan().services[*engine.find_service(out.service)];
  if (!plan.runtime.releases) {
    return body.refuse_with(409, out.service + " has no releases; set `releases` in its runtime");
  }
  const auto state = engine.durable().services.find(out.service);
  if (state == engine.durable().services.end()) return;
  if (state->second.quarantined.contains(out.version) && !out.force) {
    return body.refuse_with(
        409, fmt::format("version {} of {} is quarantined because it was rolled back; --force deploys it all the same",
                         out.version, out.service));
  }
  const std::string nothing = no_rollout(plan, state->second, out);
  if (!nothing.empty()) return body.refuse_with(409, nothing);
  const auto& operation = state->second.operation;  // an operator's own one is superseded
  if (operation && operation->repair) refuse_while_rolling(body, *operation);
}

void read_rollout(Body& body, const engine::Engine& engine, Operator& out) {
  static const std::map<std::string_view, Verb> kCommands{
      {"promote", Verb::rollout_promote}, {"abort", Verb::rollout_abort}, {"freeze", Verb::rollout_freeze},
      {"resume", Verb::rollout_resume},   {"retry", Verb::rollout_retry}, {"approve", Verb::rollout_approve}};
  const std::string command = body.text("command");
  out.force = body.flag("skip_gates");
  read_service(body, engine, out, true);
  if (body.refused()) return;
  const auto verb = kCommands.find(command);
  if (verb == kCommands.end()) {
    return body.refuse_with(400, "`command` must be promote, abort, freeze, resume, retry or approve");
  }
  out.verb = verb->second;
  const engine::ServicePlan& plan = engine.plan().services[*engine.find_service(out.service)];
  const auto known = engine.durable().services.find(out.service);
  if (!plan.rollout) return body.refuse_with(409, out.service + " has no `rollout` in its configuration");
  if (known == engine.durable().services.end() || !known->second.rollout) {
    return body.refuse_with(409, "nothing of " + out.service + " has been rolled out; `homeostat deploy` begins it");
  }
  rollout::State state = *known->second.rollout;
  const auto done = engine::ask_rollout(*plan.rollout, state, out, engine.durable().last_at);
  if (!done) body.refuse_with(409, done.error());
}

void read_changed(Body& body, const engine::Engine& engine, Operator& out) {
  out.version = body.text("version");
  read_service(body, engine, out, true);
  if (!body.refused() && !is_version(out.version)) {
    body.refuse_with(400, "`version` must be 1 to 128 of A-Z a-z 0-9 . _ -");
  }
}

void read_length(Body& body, std::string_view key, Operator& out) {
  const std::string length = body.text(key);
  if (length.empty()) {
    return body.refuse_with(400, fmt::format("`{}` is missing: for how long, such as 10m, or `forever`", key));
  }
  if (length == "forever") return;
  const auto span = config::parse_duration(length);
  if (!span || *span <= Duration{}) {
    return body.refuse_with(400, config::quote(length) + " is no time span, such as 90s, 10m or 1h30m, nor `forever`");
  }
  out.length = *span;
}

void read_pause(Body& body, const engine::Engine& engine, Operator& out) {
  read_service(body, engine, out, false);
  read_length(body, "for", out);
}

void read_maintenance(Body& body, const engine::Engine& engine, Operator& out) {
  constexpr std::size_t kLongestReason = 200;
  read_service(body, engine, out, false);
  if (body.flag("end")) {
    out.verb = Verb::maintenance_end;
    const auto& d = engine.durable();
    const auto window = d.windows.find(out.service);
    const bool open = window != d.windows.end() && !window->second.over;
    if (body.refused() || open || d.maintenance.contains(out.service)) return;
    const std::string what = out.service.empty() ? "everything" : out.service;
    return body.refuse_with(409, what + " is not in maintenance by itself; see `homeostat maintenance`");
  }
  out.reason = body.text("reason");
  if (out.reason.size() > kLongestReason)
    return body.refuse_with(400, fmt::format("`reason` is at most {} bytes", kLongestReason));
  read_length(body, "for", out);
}

/// The plan of a service that is scaled; null and refused where it is not.
const engine::ServicePlan* scaled_plan(Body& body, const engine::Engine& engine, Operator& out) {
  read_service(body, engine, out, true);
  if (body.refused()) return nullptr;
  const engine::ServicePlan& plan = engine.plan().services[*engine.find_service(out.service)];
  if (plan.scaling) return &plan;
  body.refuse_with(409, out.service + " has a fixed number of instances; set `scaling`");
  return nullptr;
}

void read_scale(Body& body, const engine::Engine& engine, Operator& out) {
  const engine::ServicePlan* plan = scaled_plan(body, engine, out);
  if (plan == nullptr) return;
  const std::int32_t least = plan->scaling->policy.range.min;
  const auto count = body.number("count", plan->instances);
  out.count = count.value_or(-1);
  if (count && *count < least) {
    return body.refuse_with(409, fmt::format("{} has from {} to {} instances", out.service, least, plan->instances));
  }
  if (count) read_length(body, "hold", out);
}

void read_freeze(Body& body, const engine::Engine& engine, Operator& out) {
  if (scaled_plan(body, engine, out) == nullptr) return;
  const std::string direction = body.text("direction");
  for (const engine::Freeze one :
       {engine::Freeze::none, engine::Freeze::up, engine::Freeze::down, engine::Freeze::both}) {
    if (name_of(one) != direction) continue;
    out.direction = one;
    if (one != engine::Freeze::none) read_length(body, "for", out);
    return;
  }
  body.refuse_with(400, "`direction` is what is frozen: up, down or both; or none, to end it");
}

void read_id(Body& body, Operator& out) {
  const std::string id = body.text("id");
  const auto parsed = parse_id(id);
  if (!parsed) return body.refuse_with(400, "`id` must be like 3-17, as `homeostat status` shows it");
  out.id = *parsed;
}

void read_ack(Body& body, const engine::Engine& engine, Operator& out) {
  read_id(body, out);
  if (body.refused()) return;
  const auto found = engine.durable().escalations.find(out.id);
  if (found == engine.durable().escalations.end()) {
    return body.refuse_with(404, "there is no open escalation " + show_id(out.id));
  }
  if (!found->second.acknowledged_by.empty()) {
    body.refuse_with(409,
                     fmt::format("{} was acknowledged by {}", show_id(out.id), found->second.acknowledged_by.str()));
  }
}

void read_approve(Body& body, const engine::Engine& engine, Operator& out) {
  read_id(body, out);
  if (body.refused()) return;
  for (const auto& [name, service] : engine.durable().services) {
    const engine::ScalingAsked* asked = service.asked_scaling();
    if (asked != nullptr && asked->id == out.id) return;
  }
  const auto found = engine.durable().actions.find(out.id);
  if (found == engine.durable().actions.end()) {
    return body.refuse_with(404, "nothing with the id " + show_id(out.id) +
                                     " waits for approval; `homeostat history` tells what became of it");
  }
  if (found->second.intent.mode != engine::Mode::approve || found->second.approved) {
    body.refuse_with(409, show_id(out.id) + " needs no approval");
  }
}

void read_unlock(Body& body, const engine::Engine& engine, Operator& out) {
  out.slot = body.slot();
  read_service(body, engine, out, true);
  if (body.refused()) return;
  const auto state = engine.durable().services.find(out.service);
  const bool locked = state != engine.durable().services.end() &&
                      (out.slot < 0 ? !state->second.locks.empty() : state->second.locks.contains(out.slot));
  if (!locked) body.refuse_with(409, place_name(out.service, out.slot) + " is not locked");
}

void read_remediate(Body& body, const engine::Engine& engine, Operator& out) {
  out.slot = body.slot();
  out.issue = body.text("issue");
  read_service(body, engine, out, true);
  if (body.refused()) return;
  const engine::ServicePlan& plan = engine.plan().services[*engine.find_service(out.service)];
  if (plan.external) return body.refuse_with(409, out.service + " is only looked at: nothing of it is ours to repair");
  if (!engine.wanted(*engine.find_service(out.service), out.slot)) {
    return body.refuse_with(409, place_name(out.service, out.slot) + " is stopped; `homeostat start` begins it again");
  }
  if (out.issue.empty() || engine::issue_named(plan, out.issue) != nullptr) return;
  std::vector<std::string_view> known;
  for (const engine::IssuePlan& issue : plan.issues) known.push_back(issue.name);
  const std::string hint = config::nearest(out.issue, known);
  body.refuse_with(404, fmt::format("{} has no issue {}{}", out.service, config::quote(out.issue),
                                    !hint.empty()   ? fmt::format(" (did you mean `{}`?)", hint)
                                    : known.empty() ? "; it has none, see `issues` in its configuration"
                                                    : fmt::format("; it has {}", fmt::join(known, ", "))));
}

struct Form {
  Verb verb;
  std::vector<std::string_view> keys;
  void (*read)(Body&, const engine::Engine&, Operator&);
};

const Form* form_of(std::string_view verb) {
  static const std::map<std::string_view, Form> kForms{
      {"check", {Verb::check, {}, [](Body& b, const engine::Engine& e, Operator& o) { read_service(b, e, o, true); }}},
      {"start", {Verb::start, {"service", "slot"}, read_move}},
      {"stop", {Verb::stop, {"service", "slot"}, read_move}},
      {"restart", {Verb::restart, {"service", "slot"}, read_move}},
      {"deploy", {Verb::deploy, {"service", "version", "force"}, read_deploy}},
      {"pause", {Verb::pause, {"service", "for"}, read_pause}},
      {"resume",
       {Verb::resume,
        {"service"},
        [](Body& b, const engine::Engine& e, Operator& o) { read_service(b, e, o, false); }}},
      {"maintenance", {Verb::maintenance_begin, {"service", "for", "reason", "end"}, read_maintenance}},
      {"ack", {Verb::ack, {"id"}, read_ack}},
      {"approve", {Verb::approve, {"id"}, read_approve}},
      {"scale", {Verb::scale, {"service", "count", "hold"}, read_scale}},
      {"rollout", {Verb::rollout_promote, {"service", "command", "skip_gates"}, read_rollout}},
      {"freeze", {Verb::freeze, {"service", "direction", "for"}, read_freeze}},
      {"samples",
       {Verb::rollout_samples,
        {"service", "metric", "version", "values", "traffic", "source", "sequence"},
        read_samples}},
      {"changed", {Verb::changed, {"service", "version"}, read_changed}},
      {"remediate", {Verb::remediate, {"service", "slot", "issue"}, read_remediate}},
      {"unlock", {Verb::unlock, {"service", "slot"}, read_unlock}},
  };
  const auto found = kForms.find(verb);
  return found == kForms.end() ? nullptr : &found->second;
}

}  // namespace

bool is_version(std::string_view text) {
  if (text.empty() || text.size() > 128 || text == "." || text == "..") return false;
  return std::ranges::all_of(text, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  });
}

std::expected<engine::Operator, Response> parse_operator(const Request& request, const engine::Engine& engine) {
  const Form* form = form_of(request.verb);
  if (form == nullptr) return std::unexpected(refuse(404, "there is no /v1/" + request.verb));
  Body body(request, form->keys);
  Operator out;
  out.verb = form->verb;
  out.by = request.user;
  out.service = request.service.empty() ? body.text("service") : request.service;
  if (!body.refused()) form->read(body, engine, out);
  if (body.refused()) return std::unexpected(*body.refusal());
  return out;
}

std::expected<ReloadAsked, Response> parse_reload(const Request& request) {
  Body body(request, {"roll", "accept_shrink"});
  const ReloadAsked asked{body.flag("roll"), body.flag("accept_shrink")};
  if (body.refused()) return std::unexpected(*body.refusal());
  return asked;
}

}  // namespace homeostat::api
