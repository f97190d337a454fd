#include "cli/units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <variant>

#include "os/loop.hpp"
#include "runtime/fill.hpp"
#include "runtime/keeper.hpp"

namespace homeostat::cli {
namespace {

using runtime::KeptSpec;
using runtime::Sight;

constexpr Duration kAskFor = std::chrono::seconds(2);

Instant steady_now() { return Instant(std::chrono::steady_clock::now().time_since_epoch()); }

/// All who run instances for us, and what they have said of each.
class Round {
 public:
  explicit Round(os::Loop& loop) : loop_(loop) {}

  void add(const std::string& service, engine::Slot slot, KeptSpec spec) {
    spec.unit = runtime::fill(spec.unit, {{"instance", std::to_string(slot)}});
    charges_[{static_cast<int>(spec.by), spec.peer, spec.login}].push_back({{service, slot}, std::move(spec)});
  }
  void ask() {
    for (auto& [peer, its] : charges_) {
      waiting_ += its.size();
      keepers_.push_back(runtime::make_keeper(
          loop_, its.front().spec, [this](const auto& target, const Sight& sight) { saw(target, sight); }, true));
      keepers_.back()->keep(its);
    }
    const Instant ends = later(steady_now(), kAskFor);
    for (Instant now = steady_now(); waiting_ > 0 && now < ends; now = steady_now()) {
      Instant next = ends;
      for (const auto& keeper : keepers_) {
        keeper->advance(now);
        next = std::min(next, keeper->next_deadline().value_or(ends));
      }
      loop_.run_once(std::max(Duration{}, next - steady_now()));
    }
  }
  Sight seen(const std::string& service, engine::Slot slot) const {
    const auto found = seen_.find({service, slot});
    return found == seen_.end() ? Sight{.detail = "it has not answered within two seconds"} : found->second;
  }

 private:
  void saw(const runtime::Target& target, const Sight& sight) {
    if (seen_.insert_or_assign(target, sight).second) --waiting_;
  }

  os::Loop& loop_;
  std::map<std::tuple<int, std::string, std::string>, std::vector<runtime::Charge>> charges_;
  std::vector<std::unique_ptr<runtime::Keeper>> keepers_;
  std::map<runtime::Target, Sight> seen_;
  std::size_t waiting_ = 0;
};

bool is_container(const KeptSpec& spec) { return spec.by == KeptSpec::By::docker || spec.by == KeptSpec::By::podman; }

/// Empty: each of its instances could be started.
std::string problem_of(const engine::ServicePlan& plan, const KeptSpec& spec, const Round& round) {
  std::optional<engine::Slot> first;
  std::size_t unfit = 0;
  for (engine::Slot slot = 0; slot < static_cast<engine::Slot>(plan.instances); ++slot) {
    const Sight sight = round.seen(plan.name, slot);
    const std::string unit = runtime::fill(spec.unit, {{"instance", std::to_string(slot)}});
    if (sight.is == Sight::Is::unreachable && !sight.unfit)
      return fmt::format("{}: nobody knows whether {} could be started: {}", plan.name, config::quote(unit),
                         sight.detail);
    if (sight.unfit && unfit++ == 0) first = slot;
  }
  // A container that is not there is made with the settings of another one.
  if (!first || (is_container(spec) && unfit < plan.instances)) return {};
  const std::string others = unfit > 1 ? fmt::format(" ({} of {} instances)", unfit, plan.instances) : std::string();
  return fmt::format("{}: {} cannot be started{}: {}", plan.name,
                     config::quote(runtime::fill(spec.unit, {{"instance", std::to_string(*first)}})), others,
                     round.seen(plan.name, *first).detail);
}

}  // namespace

std::vector<config::Problem> unfit_units(const config::Config& config) {
  std::vector<config::Problem> out;
  auto loop = os::Loop::open();
  if (!loop || config.units.empty()) return out;
  Round round(*loop);
  const auto spec_of = [&](const config::ServicePosition& at) {
    return std::get<KeptSpec>(config.runtimes[at.service]);
  };
  for (const config::ServicePosition& at : config.units) {
    const engine::ServicePlan& plan = config.plan.services[at.service];
    for (std::uint32_t slot = 0; slot < plan.instances; ++slot)
      round.add(plan.name, static_cast<engine::Slot>(slot), spec_of(at));
  }
  round.ask();
  for (const config::ServicePosition& unit : config.units) {
    std::string text = problem_of(config.plan.services[unit.service], spec_of(unit), round);
    if (!text.empty()) out.push_back({config.path, unit.at.line, unit.at.column, std::move(text), {}});
  }
  return out;
}

}  // namespace homeostat::cli
