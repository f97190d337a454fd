// The life of one action on one place: intent, dispatch, outcome, verification.
#pragma once

#include <string>

#include "engine/gates.hpp"
#include "engine/turn.hpp"

namespace homeostat::engine {

/// The runtime ends its own actions; this is for one that does not answer at all.
inline constexpr Duration kRuntimeSilent = std::chrono::minutes(10);

/// What to do; the rest of the intent is filled in.
struct Wish {
  ServiceId service = 0;
  Slot slot = kWhole;
  Op op = Op::restart;
  Origin origin = Origin::ladder;
  std::string strategy;
  std::string name;
  std::uint64_t incident = 0;
  std::string issue{};
  std::uint32_t rung = 0;
  std::uint32_t attempt = 0;
  std::string version;
  std::uint32_t count = 0;
  bool idempotent = false;
  Duration verify_within{};
  std::string evidence;
  std::string by;
};

/// Writes the intent; it is dispatched when it is durable and the gates still hold. Automatic wishes of a service in
/// shadow mode are only recorded, in approve mode they wait for an operator.
void begin_action(Turn& t, Wish wish);

/// Of a service in shadow mode: what is decided and recorded, and not done …
void decide_only(Turn& t, const Wish& wish);
/// … and is judged as if it had been.
void judge_decided(Turn& t, const Wish& wish);

/// The service only decides and records.
bool is_shadow(const Turn& t, ServiceId id);

/// The same question the gates are asked for this wish.
Ask ask_for(Turn& t, const Wish& wish);

/// Intents up to `seq` are durable.
void journal_durable(Turn& t, std::uint64_t seq);
void action_done(Turn& t, const ActionDone& in);
/// Charges the budgets and takes what is shared; where that cannot be now, it goes on waiting.
void approve(Turn& t, CommandId id, const std::string& by);
/// Why an approval of it would be in vain now: the gate that holds it, or without one why it is not wanted any more.
std::optional<Hold> not_to_approve(Turn& t, CommandId id);
/// Somebody is asked whether it may be done, and has not answered.
bool awaits_approval(const State& s, const Place& place);

/// Judges the action under way on a place: verified, failed to prove well, or out of time.
void progress_action(Turn& t, ServiceId id, Place& place);

/// The gates have closed between the intent and its dispatch: nothing was tried, so nothing is used up.
void refund(Turn& t, ServiceId id, Place& place, const Intent& intent);

/// What has been decided for a place and not begun; null: nothing.
const Intent* undone(Turn& t, const Place& place);
/// Takes back an intent that has not been dispatched; nothing otherwise.
void withdraw(Turn& t, ServiceId id, Place& place, const std::string& why);
/// The same of what is undone, and it is decided anew, at no cost.
void take_back(Turn& t, ServiceId id, Place& place, const std::string& why);

/// Hands the end of an action to whoever wanted it.
void attempt_ended(Turn& t, ServiceId id, Place& place, const Intent& intent, bool ok, const std::string& detail);

/// Verification is given this long at least: the grace, the successes and one answer of the slowest `alive` check.
Duration verification_time(const ServicePlan& plan);

}  // namespace homeostat::engine
