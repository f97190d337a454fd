#include "scenario/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "api/clock.hpp"
#include "config/value.hpp"
#include "scenario/language.hpp"
#include "scenario/timeline.hpp"

namespace homeostat::scenario {
namespace {

constexpr std::size_t kMostSteps = 5'000'000;

/// A claim about a state while its span lasts.
struct Watch {
  const Expectation* expectation = nullptr;
  const Claim* claim = nullptr;
  bool held_once = false;
  bool failed = false;
};

class Play {
 public:
  Play(const Scenario& scenario, const Configs& configs, std::uint64_t seed)
      : scenario_(scenario), stage_(configs, seed) {
    for (const Expectation& one : scenario.expectations) {
      for (const Claim& claim : one.claims) {
        if (claim.state != nullptr) watches_.push_back({&one, &claim});
      }
    }
  }

  Verdict run() {
    std::set<Duration> stops{Duration{}, scenario_.end};
    for (const Event& event : scenario_.events) stops.insert(event.when);
    for (const Expectation& one : scenario_.expectations) stops.insert({one.from, one.to});
    for (const Duration stop : stops) {
      go_to(stop);
      for (; next_ < scenario_.events.size() && scenario_.events[next_].when == stop; ++next_) {
        happen(scenario_.events[next_]);
      }
      if (stop == Duration{}) stage_.boot();
      look();
    }
    stage_.collect();
    for (const Watch& watch : watches_) judge(watch);
    for (const Expectation& one : scenario_.expectations) judge_happenings(one);
    finish();
    return std::move(verdict_);
  }

 private:
  void go_to(Duration stop) {
    const auto step = [&] {
      if (stage_.now() < stop) look();  // at the stop itself its events come first
      return ++steps_ > kMostSteps;
    };
    if (stage_.now() < stop && stage_.world.run_until(step, stop - stage_.now()) && !too_long_) {
      too_long_ = true;
      const auto& last = scenario_.expectations.back();
      fail(last.at, last.line, fmt::format("this takes more than {} steps of the simulation", kMostSteps), stop);
    }
  }

  void happen(const Event& event) {
    stage_.collect();
    stage_.tell(event.line);
    const std::string problem = event.row->happen(stage_, event.words);
    if (!problem.empty()) fail(event.at, event.line, problem, event.when);
  }

  void look() {
    const Duration now = stage_.now();
    for (Watch& watch : watches_) {
      const Expectation& one = *watch.expectation;
      if (now < one.from || now > one.to || watch.failed || (one.eventually && watch.held_once)) continue;
      const Seen seen = watch.claim->state->look(stage_, watch.claim->words);
      watch.held_once = watch.held_once || seen.holds;
      if (seen.holds || one.eventually) {
        last_[watch.claim] = seen.instead;
        continue;
      }
      watch.failed = true;
      fail(one, *watch.claim, fmt::format("at {}: {}", show_time(now), seen.instead), now);
    }
  }

  void judge(const Watch& watch) {
    if (!watch.expectation->eventually || watch.held_once || watch.failed) return;
    const Duration until = watch.expectation->to;
    fail(*watch.expectation, *watch.claim,
         fmt::format("until {} it never was so; then: {}", show_time(until), last_[watch.claim]), until);
  }

  void judge_happenings(const Expectation& one) {
    const auto& moments = stage_.moments();
    std::size_t from = 0;  // claims that are not counted come in their order
    for (const Claim& claim : one.claims) {
      if (claim.happening == nullptr) continue;
      std::vector<std::size_t> found;
      for (std::size_t i = claim.counted ? 0 : from; i < moments.size(); ++i) {
        const Duration at = stage_.since_start(moments[i].at);
        if (at < one.from || at > one.to || !claim.happening->is(stage_, claim.words, moments[i])) continue;
        found.push_back(i);
        if (!claim.counted) break;
      }
      if (found.size() >= claim.least && found.size() <= claim.most) {
        if (!claim.counted) from = found[0];
        continue;
      }
      judge_count(one, claim, found);
      if (!claim.counted) return;
    }
  }

  void judge_count(const Expectation& one, const Claim& claim, const std::vector<std::size_t>& found) {
    const auto& moments = stage_.moments();
    if (found.size() > claim.most) {
      const std::size_t first = found[claim.most];
      const Duration at = stage_.since_start(moments[first].at);
      const std::string count = claim.most == 0 ? "" : fmt::format("it happened {} times; ", found.size());
      return fail(one, claim, fmt::format("{}at {}: {}", count, show_time(at), describe(stage_, moments[first])), at);
    }
    const std::string count = found.empty() ? "it did not happen" : fmt::format("it happened {} times", found.size());
    fail(one, claim, fmt::format("between {} and {} {}", show_time(one.from), show_time(one.to), count), one.to);
  }

  void fail(const Expectation& one, const Claim& claim, const std::string& instead, Duration when) {
    const std::string which = one.claims.size() > 1 ? fmt::format("\"{}\": ", claim.text) : "";
    fail(claim.at, one.line, which + instead, when);
  }

  void fail(config::Position at, const std::string& line, std::string instead, Duration when) {
    verdict_.failures.push_back({at, line, std::move(instead), {}});
    when_.push_back(when);
  }

  void finish() {
    const std::vector<TimelineLine> story = timeline(stage_);
    for (const TimelineLine& line : story) verdict_.timeline.push_back(line.text);
    for (std::size_t i = 0; i < verdict_.failures.size(); ++i) {
      verdict_.failures[i].timeline = around(story, when_[i]);
    }
  }

  const Scenario& scenario_;
  Stage stage_;
  std::vector<Watch> watches_;
  std::map<const Claim*, std::string> last_;
  std::size_t next_ = 0;
  std::size_t steps_ = 0;
  bool too_long_ = false;
  Verdict verdict_;
  std::vector<Duration> when_;
};

}  // namespace

Verdict run(const Scenario& scenario, const Configs& configs, std::uint64_t seed) {
  return Play(scenario, configs, seed).run();
}

std::string render(const Failure& failure, const std::string& file) {
  std::string out = fmt::format("{}:{}:{}: {}\n  instead: {}\n", file, failure.at.line, failure.at.column, failure.line,
                                failure.instead);
  if (!failure.timeline.empty()) out += "  what happened around it:\n";
  for (const std::string& line : failure.timeline) out += "    " + line + "\n";
  return out;
}

}  // namespace homeostat::scenario
