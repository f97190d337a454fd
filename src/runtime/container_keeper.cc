#include "runtime/container_keeper.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "runtime/json_at.hpp"

namespace homeostat::runtime {

using engine::Op;
using engine::OutcomeKind;

namespace {

constexpr Duration kLookWithin = std::chrono::seconds(5);
constexpr Duration kLookAgain = std::chrono::seconds(1);  // after it was connected to: events may have begun later
constexpr Duration kLookEvery = std::chrono::seconds(30);
constexpr Duration kHealthWithin = std::chrono::minutes(2);
// Whoever has stopped a container is told of within that time after its end, and so is its restart policy.
constexpr Duration kSettle = std::chrono::seconds(1);
constexpr int kMostAsks = 5;

/// How a program ends that was told to, where nobody knows whether it was.
bool looks_told(const ContainerState& state) {
  constexpr std::array kTold{0, 128 + 2, 128 + 9, 128 + 15};
  return !state.out_of_memory && std::ranges::find(kTold, state.exit_status) != kTold.end();
}

std::string in_seconds(std::uint64_t nanoseconds) {
  return fmt::format("{}.{:09}", nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000);
}

}  // namespace

struct ContainerKeeper::Container {
  Container(Charge kept, std::uint64_t number) : charge(std::move(kept)), id(number) {}

  Charge charge;
  std::uint64_t id;
  std::optional<ContainerState> state{};  // nothing: unknown, or there is none
  bool missing = false;                   // there is no such container …
  bool interrupted = false;               // … because one was being put in its place
  std::string why_unknown{};
  bool looking = false;
  bool look_again = false;
  bool watched = false;  // its run was seen, and all that was told since
  bool tidied = false;   // nothing is left of an order in whose middle we died
  Incarnation ours{};    // a run that an order of ours was meant to replace

  Incarnation end_of{};  // the run whose end is asked about
  EndedBy ended_by = EndedBy::undecided;
  Instant ended_at{};
  Instant ask_at = kNever;
  int asks = 0;

  Incarnation checked{};  // the run whose health is checked
  Instant check_at = kNever;
  bool checking = false;

  std::unique_ptr<ContainerOrder> order{};
  Sight last{};
};

ContainerKeeper::ContainerKeeper(os::Loop& loop, KeptSpec::By by, std::string peer, OnSight on_sight, bool looks_only)
    : by_(by),
      on_sight_(std::move(on_sight)),
      looks_only_(looks_only),
      api_(loop, std::move(peer),
           {.up = [this] { up(); },
            .down = [this](const std::string& why) { down(why); },
            .event = [this](const ContainerEvent& event) { happened(event); }}) {}

ContainerKeeper::~ContainerKeeper() = default;

void ContainerKeeper::keep(std::vector<Charge> charges) {
  std::set<Target> wanted;
  for (Charge& charge : charges) {
    wanted.insert(charge.target);
    auto& container = containers_[charge.target];
    if (container && container->charge == charge) continue;
    if (container && container->order) container->order->give_up("it is configured otherwise now");
    container = std::make_unique<Container>(std::move(charge), ++made_);
    if (api_.is_up()) look(*container);
  }
  for (auto& [target, container] : containers_) {
    if (!wanted.contains(target) && container->order) container->order->give_up("it is not configured any more");
  }
  std::erase_if(containers_, [&](const auto& item) { return !wanted.contains(item.first); });
}

void ContainerKeeper::up() {
  look_at_ = later(now_, kLookAgain);
  for (auto& [target, container] : containers_) look(*container);
}

void ContainerKeeper::down(const std::string&) {
  look_at_ = kNever;
  for (auto& [target, container] : containers_) {
    container->state.reset();
    container->missing = container->watched = false;
    container->end_of = {};
    container->why_unknown.clear();
    container->ask_at = container->check_at = kNever;
    changed(*container);
  }
}

void ContainerKeeper::happened(const ContainerEvent& event) {
  // The checks of podman's are ours; their answers say more.
  if (podman() && event.action == "health_status") return;
  for (auto& [target, container] : containers_) {
    const bool same = container->state && container->state->id == event.id;
    if (same || container->charge.spec.unit == event.name) look(*container);
  }
}

void ContainerKeeper::ask(const Container& container, std::string path, Duration within, Seen seen) {
  api_.call("GET", std::move(path), {}, within,
            [this, target = container.charge.target, id = container.id,
             seen = std::move(seen)](const HttpReply& reply) mutable {
              const auto found = containers_.find(target);
              if (found != containers_.end() && found->second->id == id) seen(*found->second, reply);
            });
}

void ContainerKeeper::look(Container& container) {
  if (container.order) return;  // it looks by itself
  container.look_again = container.looking;
  if (std::exchange(container.looking, true)) return;
  ask(container, "/containers/" + container.charge.spec.unit + "/json", kLookWithin,
      [this](Container& one, const HttpReply& reply) {
        one.looking = false;
        if (one.order || !api_.is_up()) return;
        if (one.look_again) return look(one);
        if (reply.status == 404) return look_aside(one);
        const auto fresh = reply.status == 200 ? read_container(reply.body) : std::nullopt;
        if (fresh) return took(one, *fresh);
        one.state.reset();
        one.missing = false;
        one.why_unknown = reply.status == 200 ? "what it says of the container cannot be read" : problem_of(reply);
        changed(one);
      });
}

void ContainerKeeper::look_aside(Container& container) {
  ask(container, "/containers/" + aside_name(container.charge.spec) + "/json", kLookWithin,
      [this](Container& one, const HttpReply& reply) {
        if (one.order || !api_.is_up()) return;
        one.state.reset();
        one.missing = true;
        one.interrupted = reply.status == 200;
        changed(one);
      });
}

// We died when the new one ran, and the old one was to be removed: by its id, and only while it rests.
void ContainerKeeper::tidy(Container& container) {
  container.tidied = true;
  ask(container, "/containers/" + aside_name(container.charge.spec) + "/json", kLookWithin,
      [this](Container&, const HttpReply& reply) {
        const auto old = reply.status == 200 ? read_container(reply.body) : std::nullopt;
        if (old) api_.call("DELETE", "/containers/" + old->id, {}, kLookWithin, [](const HttpReply&) {});
      });
}

void ContainerKeeper::took(Container& container, const ContainerState& fresh) {
  container.state = fresh;
  container.missing = false;
  const Incarnation run = fresh.run();
  if (fresh.runs()) {
    if (!looks_only_ && !container.charge.spec.image.empty() && !container.tidied) tidy(container);
    container.watched = api_.is_up();
    container.end_of = {};
    container.ask_at = kNever;
    if (!looks_only_ && podman() && fresh.health_every > Duration{} && container.checked != run) {
      container.checked = run;
      container.check_at = now_;
    }
  } else {
    container.check_at = kNever;
    container.checked = {};
    if (fresh.rests() && !run.none() && container.end_of != run) {
      container.end_of = run;
      container.ended_by = container.ours == run ? EndedBy::itself : EndedBy::undecided;
      container.ended_at = now_;
      container.asks = 0;
      container.ask_at = container.watched ? later(now_, kSettle) : now_;
      if (container.ended_by != EndedBy::undecided) container.ask_at = kNever;
    }
  }
  changed(container);
}

// docker waits until the time to which it is asked; podman tells what there is.
void ContainerKeeper::ask_how_it_ended(Container& container) {
  const ContainerState& state = *container.state;
  container.ask_at = kNever;
  ++container.asks;
  const std::string until = podman() ? "stream=false" : "until=" + in_seconds(state.finished + kSettle.count());
  ask(container,
      fmt::format("/events?{}&since={}&filters=%7B%22type%22%3A%5B%22container%22%5D%2C%22container%22%3A%5B%22{}%22%5D"
                  "%7D",
                  until, in_seconds(state.started), state.id),
      kLookWithin, [this, run = state.run()](Container& one, const HttpReply& reply) {
        if (!one.state || one.state->run() != run || !one.state->rests()) return;
        judge_end(one, reply.status == 200 ? reply.body : std::string());
      });
}

void ContainerKeeper::judge_end(Container& container, const std::string& events) {
  const ContainerState& state = *container.state;
  const EndStory story = read_end(events, state.finished, podman());
  // On a busy machine whoever else clears up comes late, as the first one did. What ended while nobody looked is over.
  const Duration settles = container.watched ? std::max(kSettle, 4 * story.clearing) : kSettle;
  const bool settled = now_ >= later(container.ended_at, settles);
  const bool going_on = story.again || state.comes_back || (podman() && !story.cleaned);
  if (story.told && !story.again) {
    container.ended_by = EndedBy::others;
  } else if (container.asks < kMostAsks && (!settled || going_on)) {
    container.ask_at = later(now_, kSettle);
    return;
  } else if (story.begun || container.watched) {
    container.ended_by = EndedBy::itself;
  } else {
    container.ended_by = looks_told(state) ? EndedBy::others : EndedBy::itself;
  }
  changed(container);
}

// Where systemd does not run podman's checks, nobody does.
void ContainerKeeper::check_health(Container& container) {
  container.checking = true;
  ask(container, "/v4.0.0/libpod/containers/" + container.state->id + "/healthcheck", kHealthWithin,
      [this](Container& one, const HttpReply& reply) {
        one.checking = false;
        if (!one.state || !one.state->runs()) return;
        one.check_at = later(now_, one.state->health_every);
        const auto answer = reply.status == 200 ? read_object(reply.body) : std::nullopt;
        if (!answer) return;
        one.state->health = text_at(*answer, "Status");
        changed(one);
      });
}

void ContainerKeeper::changed(Container& container) {
  if (container.order) return;
  Sight sight = seen(container);
  if (sight == container.last) return;
  // How it ended is about to be known; until then, nothing is, if nothing was.
  const bool ending = !container.end_of.none() && container.state && container.end_of == container.state->run();
  if (container.last == Sight{} && ending && container.ended_by == EndedBy::undecided) return;
  container.last = sight;
  on_sight_(container.charge.target, sight);
}

Sight ContainerKeeper::seen(const Container& container) const {
  const KeptSpec& spec = container.charge.spec;
  if (!api_.is_up() || (!container.state && !container.missing)) {
    const std::string& why = api_.is_up() ? container.why_unknown : api_.why_down();
    return {.detail = fmt::format("{} does not tell: {}", podman() ? "podman" : "docker",
                                  why.empty() ? "it has not answered yet" : why)};
  }
  if (container.missing) {
    const std::string none = "there is no container " + spec.unit;
    if (!container.interrupted) return {.is = Sight::Is::stopped, .detail = none, .unfit = true};
    return {.is = Sight::Is::ended, .detail = none + ": another version was being put in its place"};
  }
  const ContainerState& state = *container.state;
  Sight sight = sight_of(state, container.end_of == state.run() ? container.ended_by : EndedBy::undecided);
  sight.version = version_of(state.image, spec);
  return sight;
}

/// Another container of the service, to take the settings of.
std::string ContainerKeeper::sibling_of(const Target& target) const {
  for (const auto& [other, container] : containers_) {
    if (other.service == target.service && other != target && container->state) return container->charge.spec.unit;
  }
  return {};
}

void ContainerKeeper::perform(Order order, Instant now, Done done) {
  now_ = now;
  const auto found = containers_.find(order.target);
  const auto refuse = [&](std::string why) { done({.kind = OutcomeKind::not_started, .detail = std::move(why)}); };
  if (found == containers_.end()) return refuse("no such container is configured");
  Container& container = *found->second;
  if (seen(container).is == Sight::Is::unreachable) return refuse(seen(container).detail);
  if (container.order) return refuse("another order is being carried out");
  const Target target = order.target;
  const Instant ends = later(now, container.charge.spec.timeout);
  const bool stops = order.op == Op::stop;
  const Incarnation before = container.state ? container.state->run() : Incarnation{};
  container.order = std::make_unique<ContainerOrder>(
      api_, std::move(order), container.charge.spec, sibling_of(target), ends,
      [this, target, stops, before, done = std::move(done)](ContainerOrder::Ended how) mutable {
        Container& one = *containers_.at(target);
        if (!stops && how.kind != OutcomeKind::not_started) one.ours = before;
        if (stops && how.state) {
          one.end_of = how.state->run();
          one.ended_by = EndedBy::others;
        }
        ended(target, std::move(how), std::move(done));
      });
  container.order->begin();
}

void ContainerKeeper::ended(const Target& target, ContainerOrder::Ended how, Done done) {
  Container& container = *containers_.at(target);
  const auto order = std::move(container.order);  // it is still at work; gone when this ends
  container.state = how.state;
  container.missing = how.missing;
  container.interrupted = false;
  if (!how.state && !how.missing) container.why_unknown = how.detail;
  Outcome outcome{.kind = how.kind, .detail = std::move(how.detail)};
  if (how.state && how.state->runs()) {
    outcome.now_running = how.state->run();
    outcome.version = version_of(how.state->image, container.charge.spec);
  }
  how.state ? took(container, *how.state) : changed(container);
  if (api_.is_up()) look(container);
  done(std::move(outcome));
}

std::optional<Instant> ContainerKeeper::next_deadline() const {
  Instant next = std::min(api_.next_deadline().value_or(kNever), look_at_);
  for (const auto& [target, container] : containers_) {
    if (container->order)
      next = std::min(next, container->order->ends());
    else
      next = std::min({next, container->ask_at, container->checking ? kNever : container->check_at});
  }
  return next;
}

void ContainerKeeper::advance(Instant now) {
  now_ = now;
  api_.advance(now);
  if (now >= look_at_) {
    look_at_ = later(now, kLookEvery);
    for (auto& [target, container] : containers_) look(*container);
  }
  std::vector<Container*> late;
  for (auto& [target, container] : containers_) {
    if (container->order && now >= container->order->ends()) late.push_back(container.get());
    if (now >= container->ask_at && container->state && !container->order) ask_how_it_ended(*container);
    if (now >= container->check_at && !container->checking && container->state && !container->order)
      check_health(*container);
  }
  for (Container* container : late) container->order->give_up("it was not finished in time");
}

}  // namespace homeostat::runtime
