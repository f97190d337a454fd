// What the views are made from: a running engine, or what the journal alone knows.
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "api/alerts.hpp"
#include "api/clock.hpp"
#include "engine/engine.hpp"

namespace homeostat::api {

/// What the last look at a target said beside its result, for people; empty when nothing.
using WordsOf = std::function<std::string_view(engine::TargetId)>;

/// The alerts that are known; nothing where none are listened for.
using SeenAlerts = std::function<std::optional<AlertsSeen>()>;

struct View {
  const engine::Durable& durable;
  const engine::Engine* engine = nullptr;  // null: no daemon runs
  Clock clock;
  WordsOf words = [](engine::TargetId) { return std::string_view(); };
  SeenAlerts alerts = [] { return std::nullopt; };

  static View live(const engine::Engine& engine, Clock clock) { return {engine.durable(), &engine, clock}; }
  static View offline(const engine::Durable& durable, Clock clock) { return {durable, nullptr, clock}; }

  std::optional<engine::ServiceId> find(std::string_view service) const {
    return engine == nullptr ? std::nullopt : engine->find_service(service);
  }
  const engine::ServicePlan& plan(engine::ServiceId id) const { return engine->plan().services[id]; }
  const engine::LiveService& live_service(engine::ServiceId id) const { return engine->state().services[id]; }
  /// The volatile side of a place; null when there is none.
  const engine::Place* place(engine::ServiceId id, std::int32_t slot) const {
    const auto& places = live_service(id).places;
    for (const engine::Place& place : places) {
      if (place.slot == slot) return &place;
    }
    return nullptr;
  }
};

/// Every service that is known: of the plan in its order, or all the journal heard of that still has something to show.
std::vector<std::string> service_names(const View& view);

}  // namespace homeostat::api
