#include "sim/ledger.hpp"

namespace homeostat::sim {

using namespace engine;

Spot& Ledger::spot(std::uint32_t service, Slot slot) {
  if (service >= spots_.size()) spots_.resize(service + 1);
  auto& spots = spots_[service];
  const auto index = static_cast<std::size_t>(slot + 1);
  if (index >= spots.size()) spots.resize(index + 1);
  return spots[index];
}

Story* Ledger::find(CommandId id) {
  const auto found = stories_.find(id);
  return found == stories_.end() ? nullptr : &found->second;
}

void Ledger::told(const Observed& in) {
  const auto& targets = arena_.engine().state().targets;
  if (in.target >= targets.size()) return;
  const Target& target = targets[in.target];
  if (target.flight == Flight::none || target.run != in.run || target.check == kNone) return;
  observed_ = &target;
  Spot& spot = this->spot(arena_.index_of(target.service), target.slot);
  if (spot.checks.size() <= target.check) spot.checks.resize(target.check + 1);
  Told& told = spot.checks[target.check];
  if (!in.seen.good() && !in.seen.bad()) return;
  const CheckPolicy& policy = arena_.plan().services[target.service].checks[target.check].policy;
  told.last = arena_.now();
  told.good = in.seen.good() ? told.good + 1 : 0;
  told.bad = in.seen.bad() ? told.bad + 1 : 0;
  if (in.seen.good()) told.last_good = arena_.now();
  if (in.seen.bad()) {
    told.last_bad = arena_.now();
    told.direct = in.seen.direct();
    if (in.seen.direct() || !arena_.cut_within(policy.timeout * 2, arena_.index_of(target.service)))
      spot.own_fault = arena_.now();
  }
  const bool ended = in.seen.reason == Reason::exited || in.seen.reason == Reason::signalled;
  if (told.bad >= policy.failure_threshold || (in.seen.bad() && ended)) told.verdict = true;
  if (told.good >= policy.success_threshold * 3) told.verdict = false;
}

void Ledger::given(const Input& input) {
  observed_ = nullptr;
  if (const auto* in = std::get_if<Observed>(&input)) return told(*in);
  if (const auto* in = std::get_if<Exited>(&input)) spot(arena_.index_of(in->service), in->slot).dead = true;
  if (const auto* in = std::get_if<Found>(&input)) {
    spot(arena_.index_of(in->service), in->slot).dead = in->running.none();
  }
  if (const auto* in = std::get_if<ActionDone>(&input)) {
    const Story* story = find(in->id);
    if (story != nullptr) spot(story->service, story->intent.slot).dead = in->now_running.none();
  }
  if (!std::holds_alternative<Gap>(input)) return;
  last_gap_ = arena_.now();
  for (auto& service : spots_) {
    for (Spot& spot : service) spot.checks.clear();
  }
}

void Ledger::move(LadderState& state, std::uint32_t& round, const LadderState& next) {
  if (next.rounds > state.rounds || (next.tries == 0 && state.tries > 0)) ++round;
  state = next;
}

void Ledger::recorded(const Record& record) {
  if (const auto* r = std::get_if<Intent>(&record.body)) {
    Story story;
    story.intent = *r;
    story.service = arena_.number_of(r->service);
    story.round = spot(story.service, r->slot).round;
    stories_[r->id] = std::move(story);
  } else if (const auto* o = std::get_if<Outcome>(&record.body)) {
    Story* story = find(o->id);
    if (story == nullptr) return;
    ++story->outcomes;
    story->outcome = o->outcome;
  } else if (const auto* a = std::get_if<Approved>(&record.body)) {
    Story* story = find(a->id);
    if (story == nullptr) return;
    story->approved = true;
    story->approved_at = record.at;
  } else if (const auto* l = std::get_if<LadderMoved>(&record.body)) {
    Spot& s = spot(arena_.number_of(l->service), l->slot);
    move(s.ladder, s.round, l->state);
  }
}

void Ledger::durable(const Record& record) {
  if (const auto* r = std::get_if<Intent>(&record.body)) {
    if (Story* story = find(r->id)) story->durable = true;
  } else if (const auto* o = std::get_if<Outcome>(&record.body)) {
    if (Story* story = find(o->id)) story->outcome_durable = true;
  } else if (const auto* a = std::get_if<Approved>(&record.body)) {
    if (Story* story = find(a->id)) story->approval_durable = true;
  } else if (const auto* l = std::get_if<LadderMoved>(&record.body)) {
    Spot& s = spot(arena_.number_of(l->service), l->slot);
    move(s.safe_ladder, s.safe_round, l->state);
  }
}

void Ledger::commanded(const Command& command) {
  const auto* dispatch = std::get_if<Dispatch>(&command);
  if (dispatch == nullptr) return;
  Story* story = find(dispatch->id);
  if (story == nullptr) return;
  ++story->dispatches;
  story->dispatched_at = arena_.now();
}

void Ledger::did(const Deed& deed) {
  spot(deed.service, deed.slot).last_deed = deed.at;
  Story* story = find(deed.id);
  if (story == nullptr) return;
  ++(deed.op == Op::stop ? story->stops : story->others);
}

// What was not durable never happened; nothing was done for it, either.
void Ledger::died() {
  std::erase_if(stories_, [](const auto& item) { return !item.second.durable; });
  for (auto& [id, story] : stories_) {
    story.approved = story.approval_durable;
    if (story.outcome_durable) continue;
    story.outcome.reset();
    story.outcomes = 0;
  }
  for (auto& service : spots_) {
    for (Spot& spot : service) {
      spot.ladder = spot.safe_ladder;
      spot.round = spot.safe_round;
    }
  }
}

void Ledger::booted() {
  last_gap_ = kLongAgo;  // all that it knows is fresh
  for (auto& service : spots_) {
    for (Spot& spot : service) spot.checks.clear();
  }
}

}  // namespace homeostat::sim
