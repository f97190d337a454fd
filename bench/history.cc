// Writes the history of an eventful fleet into a state directory, as the daemon would: a thousand instances that fail
// and are repaired again and again, decided by the engine and recorded with its folds.
//
//   bench_history DIR RECORDS
#include <fmt/core.h>
#include <poll.h>

#include <cstdlib>
#include <filesystem>

#include "daemon/recorder.hpp"
#include "sim/plans.hpp"

namespace {

using namespace homeostat;
using namespace homeostat::engine;
using namespace std::chrono_literals;

constexpr std::uint32_t kServices = 100;
constexpr std::uint32_t kInstances = 10;

Plan fleet() {
  std::vector<ServicePlan> services;
  for (std::uint32_t i = 0; i < kServices; ++i) {
    ServicePlan service = sim::web("service-" + std::to_string(i), kInstances);
    service.checks.erase(service.checks.begin());  // the HTTP check only
    service.ladder.change([](auto& rungs) { rungs.front().attempts = 1'000'000; });
    service.budget.max_actions = 1'000'000;
    service.max_unavailable = {kInstances, 0};
    service.backoff = {.initial = 100ms, .max = 1s};
    services.push_back(std::move(service));
  }
  Plan plan = sim::plan_of(std::move(services));
  plan.fleet.max_actions = 1'000'000;
  plan.doubt_roots = 1'000'000;
  return plan;
}

class Shell {
 public:
  explicit Shell(daemon::Recorder& recorder) : recorder_(recorder), engine_(recorder.recover()) {}

  void run(std::uint64_t records) {
    engine_.start(fleet(), "bench", now_, out_);
    step(Recovered{});
    while (engine_.durable().seq < records) {
      now_ = std::max(now_, engine_.next_deadline().value_or(now_ + 1s));
      step(Tick{});
      answer();
      if (!recorder_.fold_due()) continue;
      step(JournalFolded{});
      recorder_.fold(engine_, now_);
    }
    while (recorder_.durable_seq() < engine_.durable().seq) wait();
  }

 private:
  void wait() const { ::poll(nullptr, 0, 1); }

  void step(const Input& input) {
    engine_.step(input, now_, out_);
    while (!out_.records.empty()) {
      while (recorder_.append(out_.records)) wait();  // its queue is full
      const std::uint64_t seq = out_.records.back().seq;
      out_.records.clear();
      engine_.step(JournalDurable{seq}, now_, out_);
    }
  }

  void answer() {
    while (!out_.commands.empty()) {
      for (const Command& command : std::exchange(out_.commands, {})) answer_one(command);
    }
  }

  // Every instance answers 500 for ten seconds of each half a minute, each in its own time.
  bool fails(const Target& target) const {
    const auto second = std::chrono::floor<std::chrono::seconds>(now_.time_since_epoch()).count();
    return (second + target.slot * 7 + target.service) % 30 < 10;
  }

  void answer_one(const Command& command) {
    if (const auto* probe = std::get_if<Probe>(&command)) {
      const bool bad = fails(engine_.state().targets[probe->target]);
      step(Observed{probe->target, probe->run,
                    bad ? Observation{Result::failure, Reason::wrong_status, 500, 1ms}
                        : Observation{Result::success, Reason::none, 200, 1ms}});
    } else if (const auto* dispatch = std::get_if<Dispatch>(&command)) {
      ++pid_;
      step(ActionDone{dispatch->id, OutcomeKind::succeeded, Incarnation{pid_, pid_, 1}, 0, "pid 4711", ""});
    } else if (const auto* check = std::get_if<SelfCheck>(&command)) {
      step(SelfChecked{check->round, true});
    } else if (const auto* call = std::get_if<Notify>(&command)) {
      step(NotifyDone{call->escalation, true, "exit status 0"});
    }
  }

  daemon::Recorder& recorder_;
  Engine engine_;
  Commands out_;
  Instant now_{std::chrono::hours(1)};
  std::uint64_t pid_ = 1'000;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: bench_history DIR RECORDS\n");
    return 2;
  }
  std::filesystem::create_directories(argv[1]);
  auto recorder = daemon::Recorder::open(argv[1]);
  if (!recorder) {
    fmt::print(stderr, "{}\n", recorder.error().text);
    return 1;
  }
  Shell shell(**recorder);
  shell.run(std::strtoull(argv[2], nullptr, 10));
  return 0;
}
