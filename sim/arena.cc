#include "sim/arena.hpp"

#include <algorithm>

namespace homeostat::sim {

using namespace engine;

Arena::Arena(Plan plan, ArenaOptions options) : plan_(std::move(plan)), options_(options) {
  secrets_.add(kCanary);
  rebuild_index();
}

void Arena::rebuild_index() {
  index_.clear();
  for (const ServicePlan& service : plan_.services) {
    const auto [found, fresh] = numbers_.try_emplace(service.name, static_cast<std::uint32_t>(services_.size()));
    if (fresh) services_.emplace_back().name = service.name;
    services_[found->second].at(static_cast<Slot>(service.instances));
    index_.push_back(found->second);
  }
  plans_.assign(services_.size(), nullptr);
  for (std::size_t i = 0; i < index_.size(); ++i) plans_[index_[i]] = &plan_.services[i];
}

std::uint32_t Arena::number_of(std::string_view name) const {
  const auto found = numbers_.find(name);
  return found == numbers_.end() ? kNone : found->second;
}

void Arena::at(Instant when, What what, bool for_engine) {
  events_.push_back(Event{when, order_++, for_engine ? life_ : 0, std::move(what)});
  std::push_heap(events_.begin(), events_.end(), std::greater<>());
}

void Arena::boot() {
  ++life_;
  journal_dead_ = false;
  engine_ = std::make_unique<Engine>(twin_);
  engine_->start(plan_, "sim", now_, out_);
  witness_->booted();
  take();
  for (ServiceId id = 0; engine_ && id < index_.size(); ++id) {
    if (!plan_.services[id].runtime.managed) continue;
    const auto& places = services_[index_[id]].places;
    for (Slot slot = 0; engine_ && slot + 1 < static_cast<Slot>(places.size()); ++slot) {
      const ArenaPlace& place = places[static_cast<std::size_t>(slot + 1)];
      give(Found{id, slot, place.alive ? place.incarnation : Incarnation{}, place.started_by, 0, place.version});
    }
  }
  if (engine_) give(Recovered{});
}

void Arena::give(const Input& input) {
  ++inputs_;
  note(static_cast<std::uint64_t>(now_.time_since_epoch().count()) ^ input.index());
  witness_->given(input);
  engine_->step(input, now_, out_);
  take();
  witness_->stepped();
  if (sprung_) die(keep_);
}

// Texts from outside go the way that the shell has for them.
void Arena::hear(Input input) {
  secrets_.hide(input);
  give(input);
}

bool Arena::tell(const Input& input) {
  if (!engine_) return false;
  if (paused())
    at(paused_until_, [this, input] { hear(input); });
  else
    hear(input);
  return true;
}

void Arena::reload(Plan plan) {
  plan.generation = plan_.generation + 1;
  plan_ = std::move(plan);
  rebuild_index();
  if (!engine_) return;
  // Answers under way carry targets of the old table; their run numbers tell them apart.
  engine_->reload(plan_, now_, out_);
  witness_->reloaded();
  take();
  witness_->stepped();
  if (sprung_) die(keep_);
}

void Arena::take() {
  const std::size_t before = records_.size();
  const bool wrote = !out_.records.empty();
  for (Record& record : out_.records) {
    std::string text = encode(record.body);
    note(hash_name(text));
    written_.push_back(std::move(text));
    records_.push_back(std::move(record));
    witness_->recorded(records_.back());
  }
  commands_.swap(out_.commands);
  out_.clear();
  if (wrote) spring(before);
  if (sprung_ && !ambush_.commands) commands_.clear();
  if (wrote && !sprung_) acknowledge();
  for (const Command& command : commands_) {
    note(command.index());
    witness_->commanded(command);
    std::visit([this](const auto& c) { handle(c); }, command);
  }
  commands_.clear();
}

// The engine is killed between two records: those before the place are durable, the others never were.
void Arena::spring(std::size_t records_before) {
  if (ambush_.records == 0) return;
  const std::uint64_t fresh = records_.size() - records_before;
  if (fresh < ambush_.records) {
    ambush_.records -= fresh;
    return;
  }
  sprung_ = true;
  keep_ = records_before + ambush_.records;
}

void Arena::acknowledge() {
  if (journal_dead_ || now_ < stalled_until_) return;
  at(now_ + options_.journal_delay, Acknowledge{records_.size()});
}

void Arena::mark_durable(std::size_t count) {
  for (; durable_ < count; ++durable_) {
    const Record& record = records_[durable_];
    auto body = decode(type_of(record.body), written_[durable_]);
    if (body) twin_.apply(Record{record.seq, record.at, record.generation, std::move(*body)});
    written_[durable_].clear();
    witness_->durable(record);
  }
}

void Arena::die(std::size_t keep) {
  mark_durable(std::max(keep, durable_));
  records_.resize(durable_);
  written_.resize(durable_);
  const Duration down_for = ambush_.down_for;
  ambush_ = {};
  sprung_ = false;
  engine_.reset();
  out_.clear();
  paused_until_ = kLongAgo;
  ++life_;  // replies to the dead engine go nowhere, and what its process runtime was doing ends
  witness_->died();
  for (ArenaService& service : services_) {
    for (ArenaPlace& place : service.places) {
      if (!place.alive) place.incarnation = {};
    }
  }
  at(later(now_, down_for), [this] { boot(); }, false);
}

bool Arena::kill(std::uint64_t also_durable, Duration down_for) {
  if (!engine_) return false;
  ambush_.down_for = down_for;
  die(std::min<std::size_t>(records_.size(), durable_ + (journal_dead_ ? 0 : also_durable)));
  return true;
}

void Arena::reboot(Duration down_for) {
  for (ArenaService& service : services_) {
    for (ArenaPlace& place : service.places) place.alive = false;
  }
  ++boot_;
  kill(0, down_for);
}

bool Arena::pause(Duration span) {
  if (!engine_ || paused()) return false;
  paused_until_ = later(now_, span);
  at(paused_until_, [this, span] { give(Gap{span}); });
  return true;
}

bool Arena::suspend(Duration span) {
  if (!engine_ || paused()) return false;
  now_ += span;
  slept_ += span;
  give(Gap{span});
  return true;
}

void Arena::journal_stalls(Duration span) {
  stalled_until_ = later(now_, span);
  at(
      stalled_until_,
      [this] {
        if (engine_ && now_ >= stalled_until_ && durable_ < records_.size()) acknowledge();
      },
      false);
}

bool Arena::journal_fails(Duration restarted_after) {
  if (!engine_ || paused() || journal_dead_) return false;
  journal_dead_ = true;
  hear(JournalFailed{"no space left on device"});
  const std::uint64_t life = life_;
  const auto restart = [this, life] {
    if (life == life_) kill(0, std::chrono::seconds(1));
  };
  at(later(now_, restarted_after), restart, false);
  return true;
}

void Arena::peace() {
  for (ArenaService& service : services_) {
    service.handling = {};
    service.dies_after = {};
    service.metering = {};
    service.proxy.does = {};
    service.proxy.fails.clear();
    for (ArenaPlace& place : service.places) {
      place.conduct = {};
      place.release = Conduct::well;
    }
  }
  releases_.clear();
  ambush_ = {};
  cut_.until = std::min(cut_.until, now_);
  for (Spell<bool>* spell : {&self_bad_, &self_mute_, &notifier_bad_, &file_gone_})
    spell->until = std::min(spell->until, now_);
  if (now_ < stalled_until_) journal_stalls({});
}

bool Arena::crash(std::uint32_t service, Slot slot) {
  ArenaPlace& place = services_[service].at(slot);
  if (!place.alive) return false;
  place.alive = false;
  witness_->ended(service, slot);
  const auto id = engine_ ? engine_->find_service(services_[service].name) : std::nullopt;
  if (id) tell(Exited{*id, slot, place.incarnation, true, false, 1});
  return true;
}

void Arena::conduct(std::uint32_t service, Slot slot, Conduct conduct, Duration span, bool sticky) {
  ArenaPlace& place = services_[service].at(slot);
  place.conduct = {conduct, later(now_, span)};
  place.sticky = sticky;
}

void Arena::handling(std::uint32_t service, Handling handling, Duration late_by, Duration span) {
  services_[service].handling = {handling, later(now_, span)};
  services_[service].late_by = late_by;
}

void Arena::dies_after(std::uint32_t service, Duration after, Duration span) {
  services_[service].dies_after = {after, later(now_, span)};
}

bool Arena::well(std::uint32_t service, Slot slot) const {
  const ServicePlan* plan = plans_[service];
  const auto& places = services_[service].places;
  const auto index = static_cast<std::size_t>(slot + 1);
  if (plan == nullptr || index >= places.size()) return false;
  const ArenaPlace& place = places[index];
  const bool runs = !plan->runtime.managed || slot < 0 || place.alive;
  const Conduct conduct = now_ < place.conduct.until ? place.conduct.kind : place.release;
  return runs && (conduct == Conduct::well || conduct == Conduct::slow || conduct == Conduct::blind);
}

void Arena::run_until(Instant end) {
  while (!enough_) {
    const Instant event = events_.empty() ? kNever : events_.front().at;
    Instant timer = kNever;
    if (engine_) timer = std::max({engine_->next_deadline().value_or(kNever), now_, paused_until_});
    const Instant next = std::min(std::max(event, now_), timer);
    if (next > end) {
      now_ = std::max(now_, end);
      return;
    }
    now_ = next;
    if (event > timer) {
      give(Tick{});
      continue;
    }
    std::pop_heap(events_.begin(), events_.end(), std::greater<>());
    Event e = std::move(events_.back());
    events_.pop_back();
    if (e.life == 0 || e.life == life_) happen(std::move(e));
    if (sprung_) die(keep_);
  }
}

void Arena::happen(Event event) {
  if (event.life != 0 && paused()) return at(paused_until_, std::move(event.what));
  if (const auto* seen = std::get_if<Observed>(&event.what)) return give(*seen);
  if (const auto* call = std::get_if<std::function<void()>>(&event.what)) return (*call)();
  if (journal_dead_ || now_ < stalled_until_) return;  // it is acknowledged with all others, or never
  const std::size_t count = std::get<Acknowledge>(event.what).count;
  if (count <= durable_) return;
  mark_durable(count);
  give(JournalDurable{records_[count - 1].seq});
}

}  // namespace homeostat::sim
