// What the records of the autoscaler change in the state.
#pragma once

#include "engine/delta.hpp"
#include "engine/durable.hpp"

namespace homeostat::engine {

/// What every fold has: the state, and the time of the record.
struct FoldOf {
  Durable& d;
  Instant at;

  ServiceState& service(const std::string& name) {
    ServiceState& state = d.services[name];
    if (state.known_since == kNever) state.known_since = at;
    return state;
  }
};

struct ScalingFold : FoldOf {
  void operator()(const Scaled& r) {
    ServiceState& s = service(r.service);
    s.spare.clear();
    for (const std::int32_t slot : r.spare) s.spare.insert(slot);
    if (r.places == 0) return s.scaling.reset();
    if (!s.scaling) s.scaling.emplace();
    s.scaling->history = r.history;
    s.scaling->places = r.places;
    s.scaling->asked.reset();
  }
  void operator()(const ScalingAsked& r) {
    ServiceState& s = service(r.service);
    if (!s.scaling) return;
    s.scaling->asked = r;
    s.scaling->approved = false;
  }
  void operator()(const ScalingDropped& r) {
    ServiceState& s = service(r.service);
    if (s.scaling) s.scaling->asked.reset();
  }
  void operator()(const ScalingSeen& r) {
    ServiceState& s = service(r.service);
    if (!s.scaling) return;
    if (r.history)
      s.scaling->history = *r.history;
    else
      DeltaReader::apply(r.change, s.scaling->history);
  }
  void operator()(const ScaleHeld& r) {
    ServiceState& s = service(r.service);
    if (!s.scaling) return;
    s.scaling->held = r.count;
    s.scaling->held_until = r.until;
  }
  void operator()(const ScalingRaised& r) {
    ServiceState& s = service(r.service);
    if (!s.scaling) return;
    s.scaling->raised = r.count;
    s.scaling->raised_until = r.until;
    s.scaling->raised_by = r.id;
  }
  void operator()(const ScalingFrozen& r) {
    ServiceState& s = service(r.service);
    if (!s.scaling) return;
    s.scaling->frozen = r.direction;
    s.scaling->frozen_until = r.until;
  }
};

}  // namespace homeostat::engine
