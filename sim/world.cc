#include "sim/world.hpp"

#include "engine/input_codec.hpp"
#include "homeostat/schedule.hpp"

namespace homeostat::sim {

using namespace engine;

World::World(Plan plan, WorldOptions options) : plan_(std::move(plan)), options_(options) {
  plan_.seed = options.seed;
  trace_ = hash_name("trace");
}

void World::note(std::string_view text) { trace_ = hash_name(text, trace_); }

void World::at(Instant when, std::function<void()> happen, bool for_engine) {
  events_.push(Event{when, order_++, for_engine ? life_ : 0, std::move(happen)});
}

void World::boot() {
  Durable recovered;
  for (const Record& record : records_) recovered.apply(record);
  ++life_;
  inputs_.clear();
  engine_ = std::make_unique<Engine>(std::move(recovered));
  Commands out;
  engine_->start(plan_, "sim", now_, out);
  take(out);
  for (const auto& [key, instance] : instances_) {
    const auto service = engine_->find_service(key.first);
    if (!service) continue;
    input(Found{*service, key.second, instance.alive ? instance.incarnation : Incarnation{}, instance.started_by, 0,
                instance.version});
  }
  input(Recovered{});
}

Durable World::replayed() const {
  Durable durable;
  for (const Record& record : records_) durable.apply(record);
  return durable;
}

void World::journal_stalls(bool stalls) {
  journal_stalls_ = stalls;
  if (!stalls && engine_ && !records_.empty()) acknowledge();
}

void World::kill_engine() {
  records_.resize(durable_records_);
  engine_.reset();
  ++life_;  // replies to the dead engine go nowhere
  for (auto& [key, instance] : instances_) {
    if (!instance.alive) instance.incarnation = {};
  }
}

void World::input(const Input& input) {
  inputs_.push_back(encode_input(input, now_));
  Commands out;
  engine_->step(input, now_, out);
  take(out);
}

void World::reload(Plan plan) {
  plan.seed = plan_.seed;
  plan.generation = plan_.generation + 1;
  plan_ = plan;
  Commands out;
  engine_->reload(std::move(plan), now_, out);
  take(out);
}

void World::take(Commands& out) {
  for (Record& record : out.records) {
    note(type_of(record.body));
    note(encode(record.body));
    records_.push_back(std::move(record));
  }
  if (!out.records.empty()) acknowledge();
  for (const Command& command : out.commands) {
    note(std::to_string(command.index()));
    if (told_) told_(command);
    std::visit([this](const auto& c) { handle(c); }, command);
  }
}

void World::acknowledge() {
  if (journal_stalls_) return;
  const std::uint64_t seq = records_.back().seq;
  const std::size_t count = records_.size();
  at(now_ + options_.journal_delay, [this, seq, count] {
    durable_records_ = count;
    input(JournalDurable{seq});
  });
}

void World::run_for(Duration span) {
  run_until([] { return false; }, span);
}

bool World::run_until(const std::function<bool()>& done, Duration limit) {
  const Instant end = now_ + limit;
  while (!done()) {
    const Instant event = events_.empty() ? kNever : events_.top().at;
    const Instant timer = engine_ ? std::max(engine_->next_deadline().value_or(kNever), now_) : kNever;
    const Instant next = std::min(event, timer);
    if (next > end) {
      now_ = end;
      return done();
    }
    now_ = next;
    if (event <= timer) {
      const Event e = events_.top();
      events_.pop();
      if (e.epoch == 0 || e.epoch == life_) e.happen();
    } else {
      input(Tick{});
    }
  }
  return true;
}

Observation World::look(const Target& target, Duration timeout) {
  const ServicePlan& plan = engine_->plan().services[target.service];
  if (target.check == kNone) {
    return file_exists_ ? Observation{Result::success, Reason::none, 0, {}}
                        : Observation{Result::failure, Reason::not_found, 0, {}};
  }
  const Slot slot = target.slot < 0 ? 0 : target.slot;
  const Instance& instance = instances_[{plan.name, slot}];
  if (plan.checks[target.check].process) {
    return instance.alive ? Observation{Result::success, Reason::none, 0, {}}
                          : Observation{Result::failure, Reason::exited, -1, {}};
  }
  if (network_cut_) return {Result::timeout, Reason::timed_out, 0, timeout};
  if (plan.runtime.managed && !instance.alive) return {Result::failure, Reason::refused, 0, {}};
  if (const auto answer = answer_of(plan.name, slot, plan.checks[target.check].name)) {
    return answer->latency < timeout ? *answer : Observation{Result::timeout, Reason::timed_out, 0, timeout};
  }
  switch (instance.behaviour) {
    case Behaviour::well:
      break;
    case Behaviour::error500:
      return {Result::failure, Reason::wrong_status, 500, options_.probe_delay};
    case Behaviour::hang:
      return {Result::timeout, Reason::timed_out, 0, timeout};
    case Behaviour::refuse:
      return {Result::failure, Reason::refused, 0, options_.probe_delay};
    case Behaviour::blind:
      return {Result::unknown, Reason::no_descriptors, 0, {}};
    case Behaviour::unreachable:
      return {Result::failure, Reason::unreachable, 0, options_.probe_delay};
  }
  return {Result::success, Reason::none, 200, options_.probe_delay};
}

void World::handle(const Probe& c) {
  const Target& target = engine_->state().targets[c.target];
  const ServicePlan& plan = engine_->plan().services[target.service];
  const Duration timeout = target.check == kNone ? std::chrono::seconds(1) : plan.checks[target.check].policy.timeout;
  ++probes_[plan.name];
  const Observation seen = look(target, timeout);
  const Duration takes = seen.result == Result::timeout ? timeout : std::max(options_.probe_delay, seen.latency);
  at(now_ + takes, [this, c, seen] { input(Observed{c.target, c.run, seen}); });
}

void World::finish(const Dispatch& c, OutcomeKind outcome, const Incarnation& running, std::string detail,
                   std::string version) {
  if (runtime_silent_) return;
  input(ActionDone{c.id, outcome, running, 0, std::move(detail), std::move(version)});
}

void World::start(const Dispatch& c, const Key& key, const std::string& version) {
  Instance& instance = instances_[key];
  if (fail_starts_[key.first]) return finish(c, OutcomeKind::failed, {}, "could not be started");
  effects_.push_back(Effect{now_, c.id, c.op, key.first, key.second, version});
  instance.alive = true;
  instance.incarnation = Incarnation{next_pid_++, static_cast<std::uint64_t>(now_.time_since_epoch().count()), 7};
  instance.started_by = c.id;
  instance.version = version;
  const auto known = by_version_.find(version);
  instance.behaviour = known == by_version_.end() ? Behaviour::well : known->second;
  begins_anew(key.first, key.second, version);
  const Incarnation mine = instance.incarnation;
  finish(c, OutcomeKind::succeeded, mine, "");
  const Duration dies = dies_after_[key.first];
  if (dies == Duration{}) return;
  at(
      now_ + dies,
      [this, key, mine] {
        if (instances_[key].alive && instances_[key].incarnation == mine) crash(key.first, key.second, 3);
      },
      false);
}

void World::judge(const Dispatch& c) {
  const std::string id = std::to_string(c.id.epoch) + "." + std::to_string(c.id.counter);
  if (!dispatched_.insert(c.id).second) violations_.push_back("dispatched twice: " + id);
  for (std::size_t i = 0; i < durable_records_; ++i) {
    const auto* intent = std::get_if<Intent>(&records_[durable_records_ - 1 - i].body);
    if (intent != nullptr && intent->id == c.id) return;
  }
  violations_.push_back("dispatched before its intent was durable: " + id);
}

void World::handle(const Dispatch& c) {
  judge(c);
  const std::string service = plan_.services[c.service].name;
  const Key key{service, c.slot};
  if (c.op == Op::route) return route(c);
  const std::string version(engine_->version(c.version));
  if (c.op == Op::exec || c.op == Op::rollback || c.op == Op::scale || !plan_.services[c.service].runtime.managed) {
    effects_.push_back(Effect{now_, c.id, c.op, service, c.slot, version});
    if (c.op == Op::restart || c.op == Op::rollback) begins_anew(service, std::max(c.slot, 0), version);
    const bool fails = fail_starts_[service];
    at(now_ + options_.start_delay, [this, c, fails] {
      finish(c, fails ? OutcomeKind::failed : OutcomeKind::succeeded, {}, fails ? "the command failed" : "");
    });
    return;
  }
  Instance& instance = instances_[key];
  if (instance.alive && instance.incarnation != c.expected) {
    const Incarnation running = instance.incarnation;
    at(now_, [this, c, running, runs = instance.version] {
      finish(c, OutcomeKind::not_started, running, "another incarnation runs", runs);
    });
    return;
  }
  Duration wait = options_.start_delay;
  if (c.op != Op::start && instance.alive) {
    effects_.push_back(Effect{now_, c.id, Op::stop, service, c.slot, instance.version});
    instance.alive = false;
    wait += options_.stop_delay;
  }
  if (c.op == Op::stop) {
    at(now_ + options_.stop_delay, [this, c] { finish(c, OutcomeKind::succeeded, {}, "stopped"); });
    return;
  }
  at(now_ + wait, [this, c, key, version] { start(c, key, version); });
}

void World::handle(const Notify& c) {
  ++notifications_;
  if (notifier_silent_) return;
  const bool ok = !notifier_fails_;
  at(now_ + std::chrono::milliseconds(10), [this, c, ok] { input(NotifyDone{c.escalation, ok, ""}); });
}

void World::handle(const SelfCheck& c) {
  if (self_check_silent_) return;
  const bool ok = !self_check_fails_;
  at(now_ + std::chrono::milliseconds(1), [this, c, ok] { input(SelfChecked{c.round, ok}); });
}

void World::handle(const Release&) {}

std::vector<SlotSample> World::shared_load(const ServicePlan& plan, std::int64_t load, Instant taken) const {
  std::vector<SlotSample> samples;
  for (Slot slot = 0; slot < static_cast<Slot>(plan.instances); ++slot) {
    if (running(plan.name, slot)) samples.push_back({slot, 0, taken, std::chrono::seconds(1)});
  }
  for (SlotSample& sample : samples) sample.value = load / static_cast<std::int64_t>(samples.size());
  return samples;
}

void World::handle(const Measure& c) {
  const ServicePlan& plan = engine_->plan().services[c.service];
  const auto [load, ago] = loads_[plan.name];
  Measured answer{c.service, c.round, {}, {}};
  for (const MetricRule& rule : plan.scaling->policy.metrics) {
    MeasuredMetric& told = answer.metrics.emplace_back();
    if (!load)
      told.fault = MetricFault::unread;
    else if (rule.kind == MetricKind::average || rule.kind == MetricKind::threshold)
      told.samples = shared_load(plan, *load, now_ - ago);
    else
      told.totals = {*load};
    told.at = now_ - ago;
  }
  answer.local.assign(plan.scaling->policy.schedules.size(), local_time());
  at(now_ + std::chrono::milliseconds(5), [this, answer] { input(answer); });
}

// Everybody lives by UTC here.
LocalMinutes World::local_time() const {
  return std::chrono::duration_cast<std::chrono::minutes>(now_.time_since_epoch()).count();
}

void World::handle(const ReadClocks& c) {
  at(now_ + std::chrono::milliseconds(1), [this, c] {
    const std::vector<LocalMinutes> local(std::min(plan_.zones.size(), zones_known_), local_time());
    input(ClocksRead{c.round, now_.time_since_epoch().count(), local});
  });
}

void World::handle(const MeasureVersions& c) {
  const ServicePlan& plan = plan_.services[c.service];
  VersionsMeasured answer{c.service, c.round, {}, {}};
  const auto metrics = static_cast<std::uint32_t>(plan.rollout->metrics.size());
  for (const auto& [key, instance] : instances_) {
    const auto value = measures_.find(instance.version);
    if (key.first != plan.name || !instance.alive || value == measures_.end()) continue;
    const std::int64_t noise = static_cast<std::int64_t>((c.round * 7919 + key.second * 104'729) % 101) - 50;
    for (std::uint32_t metric = 0; metric < metrics; ++metric) {
      answer.samples.push_back({metric, key.second, false, value->second + value->second * noise / 1000, 0});
    }
  }
  at(now_ + std::chrono::milliseconds(5), [this, answer] { input(answer); });
}

void World::handle(const AskGate& c) {
  const GatePlan& gate = plan_.services[c.service].rollout->gates[c.gate];
  ++gates_asked_[gate.name];
  GateAnswered answer{c.service, c.gate, c.id};
  const auto said = gates_.find(gate.name);
  if (gate.kind == GatePlan::Kind::window) {
    answer.local = local_time();
  } else if (said == gates_.end()) {
    answer.result = rollout::GateResult::passed;
  } else if (!said->second) {
    return;
  } else {
    answer.result = *said->second;
    answer.why = "exit status " + std::to_string(answer.result == rollout::GateResult::failed ? 1 : 3);
  }
  at(now_ + std::chrono::milliseconds(50), [this, answer] { input(answer); });
}

// Everybody lives by UTC here.
void World::crash(std::string_view service, Slot slot, int code, bool signalled, bool out_of_memory) {
  Instance& instance = instances_[{std::string(service), slot}];
  if (!instance.alive) return;
  instance.alive = false;
  const Incarnation was = instance.incarnation;
  if (!engine_) return;
  const auto id = engine_->find_service(service);
  if (id) input(Exited{*id, slot, was, true, signalled, code, out_of_memory});
}

void World::behave(std::string_view service, Slot slot, Behaviour behaviour) {
  instances_[{std::string(service), slot}].behaviour = behaviour;
}

void World::answers(std::string_view service, Slot slot, std::string_view check, std::optional<Observation> seen) {
  if (check.empty()) forget_answers(service, slot);
  answers_[{std::string(service), slot, std::string(check)}] = seen;
}

void World::forget_answers(std::string_view service, Slot slot) {
  std::erase_if(answers_,
                [&](const auto& one) { return std::get<0>(one.first) == service && std::get<1>(one.first) == slot; });
}

void World::comes_up(std::string_view service_or_version, std::optional<Observation> seen) {
  comes_up_.erase(std::string(service_or_version));
  if (seen) comes_up_.emplace(service_or_version, *seen);
}

std::optional<Observation> World::answer_of(const std::string& service, Slot slot, const std::string& check) const {
  for (const std::string& name : {check, std::string()}) {
    const auto found = answers_.find({service, slot, name});
    if (found != answers_.end()) return found->second;
  }
  return std::nullopt;
}

void World::begins_anew(const std::string& service, Slot slot, const std::string& version) {
  forget_answers(service, slot);
  for (const std::string& name : {version, service}) {
    const auto found = comes_up_.find(name);
    if (name.empty() || found == comes_up_.end()) continue;
    answers_[{service, slot, std::string()}] = found->second;
    return;
  }
}

std::size_t World::probes(std::string_view service) const {
  const auto found = probes_.find(std::string(service));
  return found == probes_.end() ? 0 : found->second;
}

Status World::status(std::string_view service) const {
  const auto id = engine_->find_service(service);
  return id ? engine_->state().services[*id].status : Status::unknown;
}

bool World::running(std::string_view service, Slot slot) const {
  const auto found = instances_.find({std::string(service), slot});
  return found != instances_.end() && found->second.alive;
}

std::string World::version(std::string_view service, Slot slot) const {
  const auto found = instances_.find({std::string(service), slot});
  return found == instances_.end() ? std::string() : found->second.version;
}

}  // namespace homeostat::sim
