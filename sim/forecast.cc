#include "sim/forecast.hpp"

#include <algorithm>
#include <mutex>
#include <optional>
#include <thread>

namespace homeostat::sim {

using namespace engine;
using namespace std::chrono_literals;

namespace {

// What is well for less is not repaired: in a crash loop every start looks like it.
constexpr Duration kLasting = 10s;

/// One fault of one instance, until it is well again and stays so.
struct Trouble {
  std::uint32_t service = 0;
  Slot slot = 0;
  Instant since{};
  bool detected = false;
  std::optional<Instant> well_since;
};

class Observer : public Witness {
 public:
  Observer(Arena& arena, Forecast& out) : arena_(arena), out_(out) {}

  void begins(std::uint32_t service, Slot slot) {
    ++of(service).faults;
    open_.push_back({service, slot, arena_.now(), false, std::nullopt});
  }
  void recorded(const Record& record) override {
    if (const auto* failing = std::get_if<IncidentFailing>(&record.body)) return detected(*failing);
    if (const auto* escalated = std::get_if<Escalated>(&record.body)) {
      if (!escalated->service.empty()) ++out_.services[escalated->service].escalations;
    } else if (const auto* moved = std::get_if<LadderMoved>(&record.body)) {
      auto& most = out_.services[moved->service].most_rounds;
      most = std::max(most, moved->state.rounds);
    } else if (const auto* verified = std::get_if<Verified>(&record.body)) {
      if (verified->ok) in_vain_[{verified->service, verified->slot}] = 0;
    } else if (const auto* intent = std::get_if<Intent>(&record.body)) {
      intended(*intent);
    }
  }
  void stepped() override {
    std::erase_if(open_, [this](Trouble& trouble) {
      const bool well = arena_.well(trouble.service, trouble.slot);
      if (well != trouble.well_since.has_value()) {
        trouble.well_since = well ? std::optional(arena_.now()) : std::nullopt;
        judge(trouble.service);
      }
      if (!well || arena_.now() - *trouble.well_since < kLasting) return false;
      ++of(trouble.service).repaired;
      of(trouble.service).to_repair += *trouble.well_since - trouble.since;
      return true;
    });
  }
  void judge(std::uint32_t service) {
    const ServicePlan& plan = *arena_.plan_of(service);
    std::uint32_t well = 0;
    for (Slot slot = 0; slot < static_cast<Slot>(plan.instances); ++slot) well += arena_.well(service, slot) ? 1 : 0;
    const bool down = well < std::min(plan.min_healthy, plan.instances);
    const auto since = down_.find(service);
    if (down && since == down_.end()) down_[service] = arena_.now();
    if (down || since == down_.end()) return;
    of(service).down += arena_.now() - since->second;
    down_.erase(since);
  }
  void ends(Duration span) {
    for (std::uint32_t service = 0; service < arena_.services().size(); ++service) {
      of(service).watched += span;
      if (const auto down = down_.find(service); down != down_.end()) of(service).down += arena_.now() - down->second;
    }
  }

 private:
  ServiceForecast& of(std::uint32_t service) { return out_.services[arena_.services()[service].name]; }

  void detected(const IncidentFailing& failing) {
    for (Trouble& trouble : open_) {
      const bool this_one = arena_.services()[trouble.service].name == failing.service &&
                            (trouble.slot == failing.slot || failing.slot == kWhole);
      if (!this_one || trouble.detected) continue;
      trouble.detected = true;
      ++of(trouble.service).detected;
      of(trouble.service).to_detect += arena_.now() - trouble.since;
    }
  }

  void intended(const Intent& intent) {
    if (intent.origin == Origin::desired || intent.mode == Mode::shadow) return;
    ServiceForecast& service = out_.services[intent.service];
    ++service.actions;
    if (++in_vain_[{intent.service, intent.slot}] % kLoop == 0) ++service.loops;
  }

  Arena& arena_;
  Forecast& out_;
  std::vector<Trouble> open_;
  std::map<std::uint32_t, Instant> down_;
  std::map<std::pair<std::string, Slot>, std::uint32_t> in_vain_;
};

class Season {
 public:
  Season(const Plan& plan, const Weather& weather, std::uint64_t seed)
      : weather_(weather), random_(Random::mix(seed)), arena_(seeded(plan, seed)), observer_(arena_, out_) {
    arena_.watch(&observer_);
  }

  Forecast run() {
    arena_.boot();
    arena_.run_for(2min);  // everything has come up
    const Instant end = later(arena_.now(), weather_.span);
    plan_faults();
    while (!next_.empty() && next_.begin()->first < end) {
      const auto [at, place] = *next_.begin();
      next_.erase(next_.begin());
      arena_.run_until(at);
      place == kNetwork ? cut() : strike(place);
    }
    arena_.run_until(end);
    observer_.ends(weather_.span);
    out_.seeds = 1;
    out_.inputs = arena_.inputs();
    return out_;
  }

 private:
  using Place = std::pair<std::uint32_t, Slot>;
  static constexpr Place kNetwork{kNone, kWhole};

  static Plan seeded(Plan plan, std::uint64_t seed) {
    plan.seed = seed;
    return plan;
  }
  Duration draw(Duration mean) {
    return Duration(static_cast<std::int64_t>(random_.below(2 * static_cast<std::uint64_t>(mean.count()))));
  }
  void again(Place place, Duration mean) { next_.emplace(later(arena_.now(), draw(mean)), place); }

  void plan_faults() {
    for (ServiceId id = 0; id < arena_.plan().services.size(); ++id) {
      for (Slot slot = 0; slot < static_cast<Slot>(arena_.plan().services[id].instances); ++slot) {
        again({arena_.index_of(id), slot}, weather_.mtbf);
      }
    }
    if (weather_.network_mtbf > Duration{}) again(kNetwork, weather_.network_mtbf);
  }

  void cut() {
    ++out_.network_cuts;
    arena_.cut_network(10s + draw(1min));
    again(kNetwork, weather_.network_mtbf);
  }

  void strike(Place place) {
    const auto [service, slot] = place;
    again(place, weather_.mtbf);
    if (!arena_.well(service, slot)) return;
    const bool managed = arena_.plan_of(service)->runtime.managed;
    const std::uint64_t kind = managed ? random_.below(kWeatherFaults.size()) : 1 + random_.below(2);
    const bool stubborn = random_.below(100) < weather_.stubborn_percent;
    ++out_.faults[kind];
    if (kind == 3) arena_.dies_after(service, 500ms, stubborn ? weather_.heals_after : Duration(1min));
    if (kind == 1 || kind == 2) {
      const Conduct conduct = kind == 1 ? Conduct::hang : Conduct::wrong;
      arena_.conduct(service, slot, conduct, weather_.heals_after, stubborn);
    }
    observer_.begins(service, slot);  // a crash is detected while it happens
    if (kind == 0 || kind == 3) arena_.crash(service, slot);
    observer_.judge(service);
  }

  Weather weather_;
  Random random_;
  Arena arena_;
  Forecast out_;
  Observer observer_;
  std::multimap<Instant, Place> next_;
};

}  // namespace

void Forecast::add(const Forecast& other) {
  seeds += other.seeds;
  inputs += other.inputs;
  network_cuts += other.network_cuts;
  for (std::size_t i = 0; i < faults.size(); ++i) faults[i] += other.faults[i];
  for (const auto& [name, s] : other.services) {
    ServiceForecast& mine = services[name];
    mine.faults += s.faults;
    mine.detected += s.detected;
    mine.repaired += s.repaired;
    mine.to_detect += s.to_detect;
    mine.to_repair += s.to_repair;
    mine.watched += s.watched;
    mine.down += s.down;
    mine.actions += s.actions;
    mine.escalations += s.escalations;
    mine.loops += s.loops;
    mine.most_rounds = std::max(mine.most_rounds, s.most_rounds);
  }
}

Forecast forecast_one(const Plan& plan, const Weather& weather, std::uint64_t seed) {
  return Season(plan, weather, seed).run();
}

Forecast forecast(const Plan& plan, const Weather& weather, std::uint64_t first, std::uint64_t count, unsigned threads,
                  std::atomic<std::uint64_t>& done) {
  Forecast all;
  std::mutex mutex;
  std::atomic<std::uint64_t> next = first;
  const auto work = [&] {
    for (std::uint64_t seed = next++; seed < first + count; seed = next++) {
      const Forecast one = forecast_one(plan, weather, seed);
      const std::lock_guard lock(mutex);
      all.add(one);
      ++done;
    }
  };
  std::vector<std::thread> others;
  for (unsigned i = 1; i < threads; ++i) others.emplace_back(work);
  work();
  for (std::thread& other : others) other.join();
  return all;
}

}  // namespace homeostat::sim
