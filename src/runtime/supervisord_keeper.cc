#include "runtime/supervisord_keeper.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <set>

#include "core/base64.hpp"
#include "core/text.hpp"
#include "os/incarnation.hpp"

namespace homeostat::runtime {

using engine::Op;
using engine::OutcomeKind;

namespace {

constexpr Duration kLookEvery = std::chrono::seconds(1);
constexpr Duration kLookWithin = std::chrono::seconds(2);
constexpr Duration kOrderWithin = std::chrono::seconds(10);     // it is not waited for, only taken
constexpr Duration kLookSoon = std::chrono::milliseconds(100);  // while an order is carried out
// supervisord starts a program anew within a second of its end, if it does.
constexpr Duration kMayComeBack = std::chrono::seconds(2);

constexpr std::size_t kShown = 100;

constexpr std::int64_t kStopped = 0;
constexpr std::int64_t kStarting = 10;
constexpr std::int64_t kRunning = 20;
constexpr std::int64_t kBackoff = 30;
constexpr std::int64_t kExited = 100;
constexpr std::int64_t kFatal = 200;

// As supervisord itself understands it: one without a group is alone in one of its own name.
std::string whole_name(const std::string& name) {
  return name.find(':') == std::string::npos ? name + ":" + name : name;
}

std::string full_name(const XmlValue& info) { return info.text("group") + ":" + info.text("name"); }

bool rests(const ProgramState& state) {
  return state.state == kStopped || state.state == kExited || state.state == kFatal;
}

// Whoever starts it then is a person.
bool leaves_alone(const ProgramState& state, Duration ended) {
  return state.state == kStopped || state.state == kFatal || (state.state == kExited && ended >= kMayComeBack);
}

}  // namespace

ProgramState program_of(const XmlValue& info) {
  ProgramState out;
  out.state = info.number("state").value_or(-1);
  out.exit_status = info.number("exitstatus").value_or(0);
  out.problem = info.text("spawnerr");
  const auto pid = static_cast<std::uint64_t>(std::max<std::int64_t>(info.number("pid").value_or(0), 0));
  const auto start = static_cast<std::uint64_t>(std::max<std::int64_t>(info.number("start").value_or(0), 0));
  if (pid != 0) out.run = {pid, start, os::boot_number()};
  return out;
}

struct SupervisordKeeper::Work {
  std::uint64_t id = 0;
  Order order;
  Done done;
  Instant ends{};
  enum class Phase : std::uint8_t { look, stopping, starting } phase = Phase::look;
  std::uint64_t from_look = 0;  // what was seen before says nothing about it
  bool asked = false;           // from here on something may have happened
  bool waiting = false;         // for the answer to a call
};

struct SupervisordKeeper::Program {
  explicit Program(Charge kept) : charge(std::move(kept)) {}

  Charge charge;
  std::optional<ProgramState> state{};  // nothing: unknown
  Instant ended_at{};                   // since when it is seen exited
  std::uint32_t restarts = 0;
  Incarnation ran{};  // the last run that was seen
  std::optional<Work> work{};
  bool missing = false;  // there is no such program
  Sight last{};
};

SupervisordKeeper::SupervisordKeeper(os::Loop& loop, std::string peer, const std::string& password, OnSight on_sight)
    : peer_(std::move(peer)),
      authorization_(password.empty() ? std::string() : "Basic " + base64(password)),
      on_sight_(std::move(on_sight)),
      asker_(loop) {}

SupervisordKeeper::~SupervisordKeeper() = default;

void SupervisordKeeper::keep(std::vector<Charge> charges) {
  std::set<Target> wanted;
  for (Charge& charge : charges) {
    wanted.insert(charge.target);
    auto& program = programs_[charge.target];
    if (program && program->charge == charge) continue;
    if (program && program->work) finish(*program, OutcomeKind::unknown, "it is configured otherwise now");
    program = std::make_unique<Program>(std::move(charge));
  }
  for (auto& [target, program] : programs_) {
    if (!wanted.contains(target) && program->work)
      finish(*program, OutcomeKind::unknown, "it is not configured any more");
  }
  std::erase_if(programs_, [&](const auto& item) { return !wanted.contains(item.first); });
  look_at_ = {};
}

void SupervisordKeeper::call(const char* method, const std::vector<XmlParameter>& parameters, Duration within,
                             Answered answered, Failed failed) {
  HttpQuestion question{.peer = peer_, .method = "POST", .path = "/RPC2"};
  question.authorization = authorization_;
  question.timeout = within;
  question.type = "text/xml";
  question.body = xml_call(method, parameters);
  asker_.ask(std::move(question), now_,
             [answered = std::move(answered), failed = std::move(failed)](const HttpReply& reply) mutable {
               if (!reply.error.empty()) return failed(reply.error, reply.heard);
               if (reply.status == 401) return failed("it wants another user or password", false);
               if (reply.status != 200) return failed(fmt::format("answered {}", reply.status), reply.status >= 500);
               auto answer = read_xml_answer(reply.body);
               if (!answer) return failed(answer.error().text, true);
               answered(std::move(*answer));
             });
}

void SupervisordKeeper::look() {
  looking_ = true;
  ++looks_;
  call(
      "supervisor.getAllProcessInfo", {}, kLookWithin,
      [this, look = looks_](XmlAnswer answer) {
        looking_ = false;
        breaker_.ended(answer.has_value(), now_);
        answer ? take(*answer, look) : lost(answer.error().text);
      },
      [this](const std::string& why, bool) {
        looking_ = false;
        breaker_.ended(false, now_);
        lost(why);
      });
}

void SupervisordKeeper::take(const XmlValue& all, std::uint64_t look) {
  const auto* items = std::get_if<std::vector<XmlValue>>(&all.is);
  if (items == nullptr) return lost("its answer is no list of programs");
  for (auto& [target, program] : programs_) {
    const std::string& name = program->charge.spec.unit;
    const auto info = std::ranges::find(*items, whole_name(name), full_name);
    if (info == items->end()) {
      program->state.reset();
      program->missing = true;
      const auto meant = std::ranges::find(*items, name, [](const XmlValue& one) { return one.text("name"); });
      why_unknown_ = "it knows no program " + name +
                     (meant == items->end() ? "" : "; did you mean " + printable(full_name(*meant), kShown) + "?");
    } else {
      const ProgramState fresh = program_of(*info);
      if (fresh.state == kExited && (!program->state || program->state->state != kExited)) program->ended_at = now_;
      if (!fresh.run.none() && fresh.run != program->ran) {
        const bool ours = program->work && program->work->asked;
        const bool by_hand = ours || (program->state && leaves_alone(*program->state, now_ - program->ended_at));
        program->restarts = by_hand ? 0 : program->restarts + (program->ran.none() ? 0 : 1);
        program->ran = fresh.run;
      }
      program->state = fresh;
      program->missing = false;
    }
    proceed(*program, look);
    changed(*program);
  }
}

void SupervisordKeeper::lost(const std::string& why) {
  why_unknown_ = why;
  for (auto& [target, program] : programs_) {
    program->state.reset();
    program->missing = false;
    changed(*program);
  }
}

void SupervisordKeeper::changed(Program& program) {
  if (program.work) return;
  Sight sight = seen(program);
  if (sight == program.last) return;
  program.last = sight;
  on_sight_(program.charge.target, sight);
}

Sight SupervisordKeeper::seen(const Program& program) const {
  if (!program.state) {
    return {.detail = fmt::format("supervisord does not tell: {}{}", why_unknown_, breaker_.words()),
            .unfit = program.missing};
  }
  const ProgramState& state = *program.state;
  Sight sight{.is = Sight::Is::busy, .restarts = program.restarts};
  switch (state.state) {
    case kRunning:
      sight.is = Sight::Is::running;
      sight.run = state.run;
      break;
    case kStopped:
      sight.is = Sight::Is::stopped;
      sight.detail = "the program is stopped";
      break;
    case kBackoff:
      sight.detail = "supervisord is restarting it by itself";
      break;
    case kFatal:
      sight.is = Sight::Is::ended;
      sight.detail = "supervisord has given it up: " + state.problem;
      break;
    case kExited:
      sight.known = true;
      sight.signalled = state.exit_status < 0;  // by which one is not told
      sight.code = static_cast<std::int32_t>(std::max<std::int64_t>(state.exit_status, 0));
      sight.detail = sight.signalled ? "the program was killed by a signal"
                                     : fmt::format("the program has ended with status {}", state.exit_status);
      if (now_ >= later(program.ended_at, kMayComeBack)) sight.is = Sight::Is::ended;
      break;
    default:
      sight.detail = state.state == kStarting ? "the program is starting" : "the program is being stopped";
  }
  return sight;
}

void SupervisordKeeper::perform(Order order, Instant now, Done done) {
  now_ = now;
  const auto found = programs_.find(order.target);
  const auto refuse = [&](std::string why) { done({.kind = OutcomeKind::not_started, .detail = std::move(why)}); };
  if (found == programs_.end()) return refuse("no such program is configured");
  Program& program = *found->second;
  if (!program.state) return refuse(seen(program).detail);
  if (program.work) return refuse("another order is being carried out");
  const Instant ends = later(now, program.charge.spec.timeout);
  program.work.emplace(Work{.id = ++works_, .order = std::move(order), .done = std::move(done), .ends = ends});
  program.work->from_look = looks_ + 1;
  if (!looking_) look_at_ = now;
}

// With what has just been seen.
void SupervisordKeeper::proceed(Program& program, std::uint64_t look) {
  if (!program.work || program.work->waiting || !program.state) return;
  Work& work = *program.work;
  if (look < work.from_look) return;
  const ProgramState& state = *program.state;
  switch (work.phase) {
    case Work::Phase::look:
      return judge(program);
    case Work::Phase::stopping:
      if (!rests(state)) return;
      if (work.order.op == Op::stop) return finish(program, OutcomeKind::succeeded, "");
      work.phase = Work::Phase::starting;
      return ask(program, "supervisor.startProcess");
    case Work::Phase::starting:
      if (state.state == kRunning) return finish(program, OutcomeKind::succeeded, "");
      if (state.state == kFatal || state.state == kExited || state.state == kStopped)
        finish(program, OutcomeKind::failed, seen(program).detail, state.state == kStopped);
  }
}

void SupervisordKeeper::judge(Program& program) {
  Work& work = *program.work;
  const ProgramState& state = *program.state;
  const bool runs = state.state == kRunning;
  const auto refuse = [&](const std::string& why) { finish(program, OutcomeKind::not_started, why); };
  if (!runs && !rests(state)) return refuse(seen(program).detail);
  if (work.order.expected.none() && runs && work.order.op != Op::restart) return refuse("it runs already");
  if (!work.order.expected.none() && !runs) return refuse("the run that was meant has ended");
  if (!work.order.expected.none() && state.run != work.order.expected) {
    return refuse("another run than the one that was meant");
  }
  if (!runs && work.order.op == Op::stop) return finish(program, OutcomeKind::succeeded, "");
  work.phase = runs ? Work::Phase::stopping : Work::Phase::starting;
  ask(program, runs ? "supervisor.stopProcess" : "supervisor.startProcess");
}

void SupervisordKeeper::ask(Program& program, const char* method) {
  Work& work = *program.work;
  const bool first = !std::exchange(work.asked, true);
  work.waiting = true;
  const auto mine = [this, target = program.charge.target, id = work.id]() -> Program* {
    const auto found = programs_.find(target);
    const bool same = found != programs_.end() && found->second->work && found->second->work->id == id;
    return same ? found->second.get() : nullptr;
  };
  call(
      method, {program.charge.spec.unit, false}, kOrderWithin,
      [this, mine, first](XmlAnswer answer) {
        Program* one = mine();
        if (one == nullptr) return;
        one->work->waiting = false;
        one->work->from_look = looks_ + 1;
        look_at_ = later(now_, kLookSoon);
        if (answer) return;
        finish(*one, first ? OutcomeKind::not_started : OutcomeKind::failed, answer.error().text);
      },
      [this, mine, first](const std::string& why, bool heard) {
        if (Program* one = mine()) {
          finish(*one, heard ? OutcomeKind::unknown : first ? OutcomeKind::not_started : OutcomeKind::failed, why);
        }
      });
}

void SupervisordKeeper::finish(Program& program, OutcomeKind kind, const std::string& detail, bool overruled) {
  Work work = std::move(*program.work);
  program.work.reset();
  Outcome outcome{.kind = kind, .detail = detail, .overruled = overruled};
  if (program.state && program.state->state == kRunning) outcome.now_running = program.state->run;
  // What supervisord had to do before says nothing about how it runs now.
  if (kind == OutcomeKind::succeeded) program.restarts = 0;
  changed(program);
  work.done(std::move(outcome));
}

std::optional<Instant> SupervisordKeeper::next_deadline() const {
  Instant next = std::min(looking_ ? kNever : look_at_, asker_.next_deadline().value_or(kNever));
  for (const auto& [target, program] : programs_) {
    if (program->work) next = std::min(next, program->work->ends);
  }
  return next;
}

void SupervisordKeeper::advance(Instant now) {
  now_ = now;
  asker_.advance(now);
  bool working = false;
  for (auto& [target, program] : programs_) {
    if (program->work && now >= program->work->ends) {
      finish(*program, program->work->asked ? OutcomeKind::unknown : OutcomeKind::not_started,
             "supervisord has not finished it in time");
    }
    working = working || program->work.has_value();
  }
  if (looking_ || now < look_at_) return;
  if (!breaker_.admits(now)) return void(look_at_ = breaker_.next(now, kLookEvery));
  look_at_ = later(now, working ? kLookSoon : kLookEvery);
  look();
}

}  // namespace homeostat::runtime
