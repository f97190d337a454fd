#include "kept_kills.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <array>
#include <random>

#include "journal/check.hpp"
#include "journal/reader.hpp"

namespace homeostat::soak {
namespace {

constexpr std::array kServices{"web", "other"};
constexpr auto kPatience = std::chrono::seconds(60);

class Chaos {
 public:
  Chaos(KeptWorld& world, std::uint64_t seed) : world_(world), lab_(world.lab()), random_(seed) {}

  KeptReport run(std::uint64_t count, const std::function<void(std::uint64_t)>& progress) {
    for (const char* service : kServices) due_[service] = 1;
    if (!lab_.start() || !well()) fail("it did not come up:\n" + lab_.log());
    for (std::uint64_t i = 1; i <= count && report_.problem.empty(); ++i) {
      hurt_and_kill();
      read_journal();
      lab_.launch();
      judge();
      if (progress) progress(i);
    }
    for (const char* service : kServices) report_.starts += world_.starts(service);
    return std::move(report_);
  }

 private:
  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }
  void fail(const std::string& what) {
    if (report_.problem.empty()) {
      report_.problem = fmt::format("after {} kills: {}\n{}", report_.kills, what, lab_.records());
    }
  }

  void hurt_and_kill() {
    const std::string service = kServices[below(kServices.size())];
    const bool dies = below(2) == 0;
    dies ? world_.crash(service) : world_.sicken(service);
    ++due_[service];
    wait_somewhere(service);
    lab_.kill9();
    ++report_.kills;
    last_hurt_ = fmt::format("{} {}", service, dies ? "was killed" : "was made sick");
  }

  // Most of the time goes by before anything is done, and little between an effect and its outcome. So that each phase
  // is hit, some kills come right after it was noticed, some right after it was started, and some a little later.
  void wait_somewhere(const std::string& service) {
    constexpr std::array kWithin{500, 20, 10, 100};  // milliseconds
    const std::uint64_t point = below(kWithin.size());
    if (point >= 1) {
      lab::eventually([&] { return started_as_often_as_due() || (point == 1 && lab_.health(service) != "healthy"); });
    }
    ::poll(nullptr, 0, static_cast<int>(below(kWithin[point])));
  }

  void read_journal() {
    const journal::Health health = journal::check_journal(lab_.state(), {});
    if (health.trust != journal::Trust::ok) return fail("the journal: " + health.reason);
    if (health.last_seq < last_seq_)
      return fail(fmt::format("the journal ends at {}, not {}", health.last_seq, last_seq_));
    auto reader = journal::Reader::open(lab_.state());
    if (!reader) return fail(reader.error().text);
    const auto read = reader->read_all(last_seq_ + 1, [&](const journal::EntryView& record) {
      phases_.take(journal::copy(record));
      last_seq_ = record.seq;
      return true;
    });
    if (!read) fail(read.error().text);
    const bool done = started_as_often_as_due();
    phases_.killed(report_.phases, [&](const std::string&) { return done; });
  }

  bool started_as_often_as_due() {
    return std::ranges::all_of(due_, [&](const auto& due) { return world_.starts(due.first) >= due.second; });
  }
  // Where nobody can tell what became of an action it is told to a person, and waits.
  bool well() {
    return lab::within(kPatience, [&] {
      for (const char* service : kServices) {
        if (lab_.has_flag(service, "locked") && lab_.post("unlock", {{"service", service}}).status == 200) {
          ++report_.locked;
        }
        if (lab_.health(service) != "healthy") return false;
      }
      return started_as_often_as_due();
    });
  }
  void judge() {
    if (!lab_.answers() || !well()) return fail(last_hurt_ + ", and not everything is well again");
    for (const auto& [service, due] : due_) {
      const std::uint64_t starts = world_.starts(service);
      if (starts != due) fail(fmt::format("{}: {} was started {} times, not {}", last_hurt_, service, starts, due));
    }
  }

  KeptWorld& world_;
  lab::Lab& lab_;
  std::mt19937_64 random_;
  KeptReport report_;
  Phases phases_;
  std::uint64_t last_seq_ = 0;
  std::map<std::string, std::uint64_t> due_;
  std::string last_hurt_;
};

}  // namespace

std::string looked_after(const std::string& name, const std::string& run, const std::string& sign) {
  return fmt::format(
      "  {}: {{ run: {{ {} }},\n"
      "    checks: {{ process: {{ process: {{}}, interval: 100ms }},\n"
      "      well: {{ file: {{ path: {} }}, role: alive, interval: 100ms }} }},\n"
      "    remediation: [{{ restart: {{ attempts: 100, verify_within: 2s }} }}, {{ escalate: {{}} }}],\n"
      "    backoff: {{ initial: 50ms, max: 200ms }}, budget: {{ max_actions: 100000, per: 10m }},\n"
      "    rearm_after: 100ms, reopen_within: 100ms }}\n",
      name, run, sign);
}

std::ostream& operator<<(std::ostream& out, const KeptReport& report) {
  const auto row = [&](const std::string& what, std::uint64_t count) {
    out << fmt::format("{:<52} {:>9}\n", what, count);
  };
  row("kills", report.kills);
  for (const auto& [phase, count] : report.phases) row("  " + phase, count);
  row("starts, each noted by the service itself", report.starts);
  row("actions of unknown outcome, locked and said", report.locked);
  return out << (report.problem.empty() ? "nothing lost, nothing done twice\n" : "WRONG " + report.problem + "\n");
}

KeptReport run_kept_kills(KeptWorld& world, std::uint64_t seed, std::uint64_t count,
                          const std::function<void(std::uint64_t)>& progress) {
  return Chaos(world, seed).run(count, progress);
}

}  // namespace homeostat::soak
