// restart: this instance, or every one, in turn or together.
#include "core/planted.hpp"
#include "engine/operations.hpp"
#include "engine/strategy.hpp"

namespace homeostat::engine {
namespace {

bool rolls(const Case& c) { return c.rung.reach != Reach::one || c.place.slot < 0; }

std::optional<std::string> validate(const Case& c) {
  if (!c.t.plan(c.service).runtime.restart) return "the runtime cannot restart it";
  if (auto why = unmet(c)) return why;
  if (rolls(c) && operation_running(c.t, c.service)) return "another rolling operation is under way";
  return std::nullopt;
}

Wish wish(const Case& c) {
  Wish w = common_wish(c, "restart");
  const bool managed = c.t.plan(c.service).runtime.managed;
  const InstanceState* instance = c.place.slot < 0 ? nullptr : c.t.instance(c.service, c.place.slot);
  const bool runs = instance != nullptr && instance->state == RunState::running;
  w.op = managed && !runs && c.place.slot >= 0 ? Op::start : Op::restart;
  w.idempotent = managed || c.rung.idempotent;
  return w;
}

// As many as would really be restarted; the one that fails tells how it would have gone.
void decide_all(const Case& c, const std::vector<std::int32_t>& slots) {
  for (const Slot slot : slots) {
    const View view = view_of(c.t, c.service, slot);
    const Case one{c.t,  c.service, c.t.place(c.service, slot), c.rung, c.rung_index, c.attempt, c.incident,
                   view, c.walk};
    Wish decided = wish(one);
    if (slot != c.place.slot) decided.origin = Origin::operation;  // its own ladder has no part in it
    decide_only(c.t, decided);
  }
  judge_decided(c.t, wish(c));
}

void execute(const Case& c) {
  if (!rolls(c)) return begin_action(c.t, wish(c));
  OperationWish operation;
  operation.kind = OperationKind::restart_all;
  for (Slot slot = 0; slot < static_cast<Slot>(c.t.plan(c.service).instances); ++slot) {
    if (c.t.wanted(c.service, slot)) operation.slots.push_back(slot);
  }
  if (is_shadow(c.t, c.service)) return decide_all(c, operation.slots);
  operation.incident = c.incident;
  operation.repair = true;
  operation.together = c.rung.reach == Reach::all || planted(Bug::rolls_at_once);
  operation.for_slot = c.place.slot;
  operation.verify_within = c.rung.verify_within;
  begin_operation(c.t, c.service, std::move(operation));
}

}  // namespace

const Strategy kRestart{validate, execute, wish, true};

}  // namespace homeostat::engine
