// The daemon's answers to the local API, and going over to another configuration.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "config/compare.hpp"
#include "config/load.hpp"
#include "daemon/daemon.hpp"
#include "daemon/places.hpp"

namespace homeostat::daemon {
namespace {

std::string text_of(const std::vector<config::Problem>& problems) {
  std::string text;
  for (const config::Problem& problem : problems) text += (text.empty() ? "" : "\n") + config::render(problem);
  return text;
}

// How often they are repeated can change at any time.
std::optional<config::AlertsSpec> listening(const config::Config& config) {
  auto alerts = config.alerts;
  if (alerts) alerts->repeat = {};
  return alerts;
}

}  // namespace

// On the server's thread: only posts.
void Daemon::serve(api::Request request, api::Reply reply) {
  if (request.verb == "alerts") return serve_alerts(request.body, reply);
  const bool posted = inbox_->post([this, request = std::move(request), reply] {
    if (!request.post) return reply(answer(request, nullptr));
    if (request.verb != "reload") return command(request, nullptr, reply);
    load_then(
        [this, request, reply](std::expected<config::Config, Error> loaded) { command(request, &loaded, reply); });
  });
  if (!posted) reply(api::refuse(503, "too many calls are waiting"));
}

void Daemon::serve_alerts(const std::string& body, const api::Reply& reply) {
  auto alerts = api::parse_alerts(body);
  if (!alerts) return reply(std::move(alerts.error()));
  const bool posted = inbox_->post([this, alerts = std::move(*alerts), reply] { take_alerts(alerts, reply); });
  if (!posted) reply(api::refuse(503, "too many calls are waiting"));
}

runtime::Values Daemon::alert_of(engine::ServiceId service, engine::Slot slot) const {
  runtime::Values values;
  for (const engine::CheckPlan& check : engine_->plan().services[service].checks) {
    const probe::AlertSpec* spec = alert_spec(*config_, check.probe);
    if (spec == nullptr) continue;
    const probe::Place place = daemon::place_of(*engine_, *config_, service, std::max<engine::Slot>(slot, 0));
    const api::Alert* alert = alerts_->firing(filled(spec->labels, place), TimeKeeper::wall_ns());
    if (alert == nullptr) continue;
    values.emplace_back("alert", alert->summary);
    for (const auto& [name, value] : alert->labels) values.emplace_back("label_" + name, value);
    break;
  }
  return values;
}

// Who is looked at by alerts is looked at now.
void Daemon::take_alerts(const std::vector<api::Alert>& alerts, const api::Reply& reply) {
  alerts_->take(alerts, TimeKeeper::wall_ns(), [reply](const std::expected<void, Error>& kept) {
    if (kept) return reply({200, "{}"});
    spdlog::warn("alerts are refused, to be posted again: {}", kept.error().text);
    reply(api::refuse(503, kept.error().text));
  });
  for (const engine::ServicePlan& service : engine_->plan().services) {
    const bool told = std::ranges::any_of(
        service.checks, [&](const engine::CheckPlan& check) { return alert_spec(*config_, check.probe) != nullptr; });
    if (!told) continue;
    engine::Operator look;
    look.verb = engine::Verb::check;
    look.service = service.name;
    look.by = "alerts";
    feed(std::move(look));
  }
}

void Daemon::command(const api::Request& request, std::expected<config::Config, Error>* loaded, api::Reply reply) {
  const std::uint64_t before = engine_->durable().seq;
  api::Response response = answer(request, loaded);
  const std::uint64_t after = engine_->durable().seq;
  if (response.status != 200 || after == before) return reply(std::move(response));
  unsent_.push_back({after, std::move(response), std::move(reply)});
}

void Daemon::send_replies() {
  const std::string& why_not = engine_->state().observe_only;
  while (!unsent_.empty() && (unsent_.front().seq <= recorder_->durable_seq() || !why_not.empty())) {
    Unsent one = std::move(unsent_.front());
    unsent_.pop_front();
    if (one.seq <= recorder_->durable_seq()) {
      one.reply(std::move(one.response));
    } else {
      one.reply(api::refuse(503, "it holds, but only until Homeostat ends, as it cannot be recorded: " + why_not));
    }
  }
}

api::Response Daemon::answer(const api::Request& request, std::expected<config::Config, Error>* loaded) {
  const api::Daemon self{*engine_,
                         *config_,
                         {now(), TimeKeeper::wall_ns()},
                         [this](engine::Operator wanted) {
                           feed(std::move(wanted));
                           drain();
                         },
                         [this, loaded](const api::ReloadAsked& asked) -> std::expected<std::string, Error> {
                           if (loaded == nullptr) return fail("no configuration was read");
                           if (!*loaded) return std::unexpected(loaded->error());
                           return go_over(std::move(**loaded), asked.accept_shrink);
                         },
                         [this](engine::TargetId target) { return eyes_->last_words(target); },
                         [this] { return config_->alerts ? std::optional(alerts_->seen()) : std::nullopt; }};
  return api::answer(self, request);
}

void Daemon::load_then(std::function<void(std::expected<config::Config, Error>)> then) {
  if (loading_.exchange(true)) return then(fail("another reload is under way"));
  loader_ = std::jthread([this, then = std::move(then)] {
    auto loaded = config::load(options_.config);
    std::expected<config::Config, Error> result = fail("");
    if (loaded)
      result = std::move(*loaded);
    else
      result = fail(text_of(loaded.error()));
    inbox_->post([this, then, result = std::move(result)]() mutable {
      loading_ = false;
      then(std::move(result));
    });
  });
}

std::expected<std::string, Error> Daemon::go_over(config::Config next, bool accept_shrink) {
  config_->plan = engine_->plan();
  const config::Comparison comparison = config::compare(*config_, next);
  if (comparison.needs_accept() && !accept_shrink) {
    give_memory_back();
    return fail(fmt::format("{} of {} services would be released; if that is meant: homeostat reload --accept-shrink",
                            comparison.removed.size(), comparison.services_before));
  }
  next.plan.generation = engine_->durable().generation + 1;
  next.plan.shadow = options_.shadow;
  const auto before = std::exchange(config_, std::make_unique<config::Config>(std::move(next)));
  keep_secrets();
  engine_->reload(config_->plan, now(), out_);
  eyes_->configure(*config_);
  meters_->configure(*config_);
  router_->configure(*config_);
  hands_->configure(*config_, before.get());
  alerts_->configure(*config_);
  std::string note;
  if (listening(*config_) != listening(*before)) {
    note = "where alerts are listened for, or who may post them, has changed: that takes effect at the next start";
    spdlog::warn("{}", note);
  }
  recorder_->rotate_inputs();
  carry_out(out_);
  drain();
  give_memory_back();
  spdlog::info("configuration {}: {} services", engine_->plan().generation, engine_->plan().services.size());
  return note;
}

}  // namespace homeostat::daemon
