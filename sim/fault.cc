#include "sim/fault.hpp"

#include <algorithm>

namespace homeostat::sim {

using namespace engine;
using namespace std::chrono_literals;

namespace {

// Half the time what befalls all of a service befalls those that need it, too.
void spread(Arena& arena, const FaultEvent& e, Conduct conduct) {
  const ServicePlan* hit = arena.plan_of(e.service);
  if (hit == nullptr || hit->instances != 1) return;
  for (std::uint32_t i = 0; i < arena.services().size(); ++i) {
    const ServicePlan* plan = arena.plan_of(i);
    const bool needs = plan != nullptr && std::ranges::any_of(plan->depends_on, [&](const Need& need) {
                         return arena.plan().services[need.service].name == hit->name;
                       });
    if (!needs) continue;
    for (Slot slot = 0; slot < static_cast<Slot>(plan->instances); ++slot) {
      arena.conduct(i, slot, conduct, e.span, false);
    }
  }
}

bool misbehave(Arena& arena, const FaultEvent& e, Conduct conduct) {
  const bool was = arena.well(e.service, e.slot);
  arena.conduct(e.service, e.slot, conduct, e.span, e.amount % 3 == 0);
  if (e.amount % 2 == 0) spread(arena, e, conduct);
  return was;
}

bool handle(Arena& arena, const FaultEvent& e, Handling handling) {
  arena.handling(e.service, handling, 1s + e.span / 4, e.span + 1min);
  return true;
}

bool operate(Arena& arena, const FaultEvent& e, Verb verb) {
  Operator in;
  in.verb = verb;
  in.service = arena.services()[e.service].name;
  in.by = "somebody";
  if (e.amount % 3 == 0) in.slot = e.slot;
  if (verb == Verb::pause || verb == Verb::resume || verb == Verb::maintenance_begin || verb == Verb::maintenance_end) {
    in.length = e.span;
    in.slot = kWhole;
    if (e.amount % 4 == 0) in.service.clear();
  }
  if (verb == Verb::deploy) {
    in.slot = kWhole;
    in.version = "v" + std::to_string(2 + e.amount % 3);
    in.force = e.amount % 5 == 0;
    static constexpr Verb kLeading[] = {Verb::rollout_promote, Verb::rollout_abort, Verb::rollout_freeze,
                                        Verb::rollout_resume, Verb::rollout_retry};
    if (e.amount % 7 == 6) in.verb = kLeading[e.amount / 7 % 5];
  }
  return arena.tell(in);
}

// Of all times, when another instance of the service is down.
bool restart_badly(Arena& arena, const FaultEvent& e) {
  const auto count = static_cast<std::uint32_t>(arena.services().size());
  for (std::uint32_t i = 0; e.amount % 2 == 0 && i < count; ++i) {
    const std::uint32_t service = (e.service + i) % count;
    const ServicePlan* plan = arena.plan_of(service);
    if (plan == nullptr || !plan->runtime.managed) continue;
    Slot well = kWhole;
    bool down = false;
    for (Slot slot = 0; slot < static_cast<Slot>(plan->instances); ++slot) {
      arena.well(service, slot) ? void(well = slot) : void(down = true);
    }
    if (!down || well == kWhole) continue;
    Operator in;
    in.verb = Verb::restart;
    in.service = plan->name;
    in.slot = well;
    in.by = "somebody";
    return arena.tell(in);
  }
  return operate(arena, e, Verb::restart);
}

// Whatever waits for an approval gets it.
bool approve(Arena& arena) {
  if (!arena.alive()) return false;
  std::vector<CommandId> waiting;
  for (const auto& [id, action] : arena.engine().durable().actions) {
    if (action.intent.mode == Mode::approve && !action.approved) waiting.push_back(id);
  }
  for (const auto& [name, service] : arena.engine().durable().services) {
    if (const ScalingAsked* asked = service.asked_scaling()) waiting.push_back(asked->id);
  }
  for (const CommandId id : waiting) {
    Operator in;
    in.verb = Verb::approve;
    in.id = id;
    in.by = "somebody";
    arena.tell(in);
  }
  return !waiting.empty();
}

bool deploy_bad(Arena& arena, const FaultEvent& e) {
  static constexpr Conduct kBad[] = {Conduct::wrong, Conduct::hang, Conduct::flap};
  arena.release_does("v" + std::to_string(2 + e.amount % 3), kBad[e.amount % 3]);
  return operate(arena, e, Verb::deploy);
}

// Whatever the users' own commands do, of all services.
bool fail_commands(Arena& arena, const FaultEvent& e) {
  bool any = false;
  for (std::uint32_t i = 0; i < arena.services().size(); ++i) {
    const ServicePlan* plan = arena.plan_of(i);
    if (plan == nullptr || plan->runtime.managed) continue;
    arena.handling(i, Handling::fail, {}, e.span * 2);
    arena.conduct(i, 0, Conduct::wrong, e.span * 3 + 1min, false);  // until a command does what it should
    any = true;
  }
  return any;
}

// The first service from the event's on of which that is true.
template <class Is>
std::optional<std::uint32_t> service_that(const Arena& arena, const FaultEvent& e, Is is) {
  const auto count = static_cast<std::uint32_t>(arena.services().size());
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t service = (e.service + i) % count;
    const ServicePlan* plan = arena.plan_of(service);
    if (plan != nullptr && is(*plan)) return service;
  }
  return std::nullopt;
}

bool scale_by_hand(Arena& arena, const FaultEvent& e, std::uint32_t service) {
  Operator in;
  in.verb = e.fault == Fault::operator_scales ? Verb::scale : Verb::freeze;
  in.service = arena.services()[service].name;
  in.by = "somebody";
  in.length = e.span;
  in.count = static_cast<std::int32_t>(e.amount % 8) - 1;
  in.direction = static_cast<Freeze>(e.amount % 4);
  return arena.tell(in);
}

bool strike_scaling(Arena& arena, const FaultEvent& e) {
  const auto service = service_that(arena, e, [](const ServicePlan& plan) { return plan.scaling != nullptr; });
  if (!service) return false;
  switch (e.fault) {
    case Fault::load_changes:
      arena.load(*service, static_cast<std::int64_t>(e.amount % 80'000));
      return true;
    case Fault::metric_fails:
      arena.metering(*service, Metering::fail, e.span + 20s);
      return true;
    case Fault::metric_silent:
      arena.metering(*service, Metering::silent, e.span);
      return true;
    case Fault::metric_lies:
      arena.metering(*service, e.amount % 2 == 0 ? Metering::lie_high : Metering::lie_low, e.span);
      return true;
    case Fault::metric_late:
      arena.metering(*service, Metering::late, e.span);
      return true;
    default:
      return scale_by_hand(arena, e, *service);
  }
}

bool strike_proxy(Arena& arena, const FaultEvent& e) {
  const auto service =
      service_that(arena, e, [&](const ServicePlan& plan) { return arena.plan().ejections.contains(plan.name); });
  if (!service) return false;
  switch (e.fault) {
    case Fault::proxy_gone:
      arena.proxy(*service, Proxying::gone, e.span);
      return true;
    case Fault::proxy_hangs:
      arena.proxy(*service, Proxying::hangs, e.span);
      return true;
    case Fault::proxy_refuses:
      arena.proxy(*service, Proxying::refuses, e.span);
      return true;
    case Fault::proxy_lies:
      arena.proxy(*service, Proxying::lies, e.span);
      return true;
    case Fault::proxy_reloads:
      arena.proxy_reloaded(*service);
      return true;
    default:
      for (Slot slot = 0; slot < 3; ++slot) {
        const auto percent = static_cast<std::uint32_t>(e.amount >> (7 * slot) & 127U);
        if (slot == e.slot || percent > 100) arena.requests_fail(*service, slot, std::min(percent, 100U), e.span * 2);
      }
      return true;
  }
}

bool strike_service(Arena& arena, const FaultEvent& e) {
  switch (e.fault) {
    case Fault::crash:
      return arena.crash(e.service, e.slot);
    case Fault::crash_loop:
      arena.dies_after(e.service, 100ms * static_cast<int>(1 + e.amount % 30), e.span);
      return arena.crash(e.service, e.slot);
    case Fault::hang:
      return misbehave(arena, e, Conduct::hang);
    case Fault::slow:
      return misbehave(arena, e, Conduct::slow);
    case Fault::wrong:
      return misbehave(arena, e, Conduct::wrong);
    case Fault::refuse:
      return misbehave(arena, e, Conduct::refuse);
    case Fault::unreachable:
      return misbehave(arena, e, Conduct::unreachable);
    case Fault::blind:
      return misbehave(arena, e, Conduct::blind);
    case Fault::lost_answers:
      return misbehave(arena, e, Conduct::lost);
    case Fault::flap:
      return misbehave(arena, e, Conduct::flap);
    case Fault::action_fails:
      return handle(arena, e, Handling::fail);
    case Fault::action_hangs:
      return handle(arena, e, Handling::hang);
    case Fault::action_late:
      return handle(arena, e, Handling::late);
    default:
      return handle(arena, e, Handling::mute);
  }
}

bool strike_engine(Arena& arena, const FaultEvent& e) {
  const Duration down_for = e.span / 20;
  switch (e.fault) {
    case Fault::kill:
      return arena.kill(e.amount % 4, down_for);
    case Fault::kill_between_records:
      arena.lie_in_wait({1 + e.amount % 12, false, e.amount % 2 == 0, down_for});
      return arena.alive();
    case Fault::kill_in_action:
      arena.lie_in_wait({0, true, false, down_for});
      return arena.alive();
    case Fault::reboot:
      arena.reboot(down_for + 10s);
      return true;
    case Fault::pause:
      return arena.pause(e.span / 2 + 3s);
    case Fault::clock_jump:
      return arena.suspend(e.amount % 2 == 0 ? e.span : e.span * 1000);
    case Fault::disk_stalls:
      arena.journal_stalls(e.span / 8);
      return true;
    case Fault::disk_full:
      return arena.journal_fails(e.span);
    default:
      return false;
  }
}

bool strike_world(Arena& arena, const FaultEvent& e) {
  switch (e.fault) {
    case Fault::network_cut:
      return arena.cut_network(e.span);
    case Fault::network_cut_in_part:
      return arena.cut_network(e.span, Cut::part);
    case Fault::network_loses:
      return arena.cut_network(e.span, Cut::lossy);
    case Fault::self_check_fails:
      arena.self_check_fails(e.span);
      return true;
    case Fault::self_check_hangs:
      arena.self_check_hangs(e.span);
      return true;
    case Fault::notifier_fails:
      arena.notifier_fails(e.span);
      return true;
    case Fault::commands_fail:
      return fail_commands(arena, e);
    case Fault::file_missing:
      arena.file_missing(e.span);
      return true;
    case Fault::bad_release:
      return deploy_bad(arena, e);
    case Fault::operator_pauses:
      // Some stop what they have just begun.
      if (e.amount % 3 == 1) operate(arena, e, Verb::restart);
      return operate(arena, e, Verb::pause);
    case Fault::operator_resumes:
      return operate(arena, e, Verb::resume);
    case Fault::operator_stops:
      return operate(arena, e, Verb::stop);
    case Fault::operator_starts:
      return operate(arena, e, Verb::start);
    case Fault::operator_restarts:
      return restart_badly(arena, e);
    case Fault::operator_deploys:
      return operate(arena, e, Verb::deploy);
    case Fault::operator_approves:
      return approve(arena);
    case Fault::operator_unlocks:
      return operate(arena, e, Verb::unlock);
    case Fault::operator_maintains:
      return operate(arena, e, Verb::maintenance_begin);
    case Fault::operator_ends_maintenance:
      return operate(arena, e, Verb::maintenance_end);
    default:
      return operate(arena, e, e.amount % 2 == 0 ? Verb::check : Verb::remediate);
  }
}

}  // namespace

bool strike(Arena& arena, const FaultEvent& event) {
  if (event.fault <= Fault::reply_lost) return strike_service(arena, event);
  if (event.fault >= Fault::proxy_gone) return strike_proxy(arena, event);
  if (event.fault >= Fault::load_changes) return strike_scaling(arena, event);
  return event.fault <= Fault::disk_full ? strike_engine(arena, event) : strike_world(arena, event);
}

std::string words(const FaultEvent& event, std::string_view service) {
  const auto seconds = [](Duration d) {
    const auto tenths = d / 100ms;
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + "s";
  };
  std::string text = seconds(event.at) + " " + std::string(name_of(event.fault));
  if (event.fault < Fault::kill || event.fault >= Fault::bad_release) text += " " + std::string(service);
  return text + "/" + std::to_string(event.slot) + " for " + seconds(event.span) + " (" + std::to_string(event.amount) +
         ")";
}

}  // namespace homeostat::sim
