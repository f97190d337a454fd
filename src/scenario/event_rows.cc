// Everything that can be made to happen.
#include <algorithm>
#include <csignal>

#include "homeostat/observation.hpp"
#include "scenario/language.hpp"

namespace homeostat::scenario {
namespace {

using std::chrono::milliseconds;

constexpr const char* kNotRunning = "Homeostat does not run at that time";

std::optional<Observation> answered(std::uint64_t status) {
  if (status >= 200 && status < 300) return std::nullopt;
  return Observation{Result::failure, Reason::wrong_status, static_cast<std::int32_t>(status), {}};
}

std::optional<Observation> shown(const std::string& how) {
  if (how.starts_with("hang")) return Observation{Result::timeout, Reason::timed_out, 0, std::chrono::hours(24)};
  if (how.starts_with("refus")) return Observation{Result::failure, Reason::refused, 0, {}};
  if (how.starts_with("reset")) return Observation{Result::failure, Reason::reset, 0, {}};
  if (how == "unreachable") return Observation{Result::failure, Reason::unreachable, 0, {}};
  if (how == "reported") return Observation{Result::failure, Reason::reported, 0, {}};
  if (how == "unseen") return Observation{Result::unknown, Reason::no_descriptors, 0, {}};
  return std::nullopt;
}

std::string show(Stage& stage, const Captures& c, const std::optional<Observation>& seen) {
  const PlaceName place = c.place();
  for (const engine::Slot slot : stage.slots(place.service, place.slot)) {
    stage.world.answers(place.service, slot, c.text("check"), seen);
  }
  return {};
}

std::string comes_up(Stage& stage, const Captures& c, const std::optional<Observation>& seen) {
  stage.world.comes_up(c.has("version") ? c.text("version") : c.text("service"), seen);
  return {};
}

std::string crash(Stage& stage, const Captures& c) {
  const PlaceName place = c.place();
  for (const engine::Slot slot : stage.slots(place.service, place.slot)) {
    stage.world.crash(place.service, slot, c.has("count") ? static_cast<int>(c.count("count")) : 1);
  }
  return {};
}

std::string kill(Stage& stage, const Captures& c) {
  const PlaceName place = c.place();
  for (const engine::Slot slot : stage.slots(place.service, place.slot)) {
    const bool for_memory = !c.has("count");
    stage.world.crash(place.service, slot, for_memory ? SIGKILL : static_cast<int>(c.count("count")), true, for_memory);
  }
  return {};
}

std::string input(Stage& stage, const engine::Input& in) {
  if (!stage.alive()) return kNotRunning;
  stage.world.input(in);
  return {};
}

std::string ask(Stage& stage, const Captures& c, engine::Operator in) {
  const PlaceName place = c.place();
  in.service = place.service == "everything" ? std::string() : place.service;
  in.slot = place.slot;
  in.by = "operator";
  return input(stage, in);
}

engine::Operator verb(engine::Verb verb) {
  engine::Operator in;
  in.verb = verb;
  return in;
}

std::string order(Stage& stage, const Captures& c) {
  static const std::map<std::string, engine::Verb> kVerbs{
      {"starts", engine::Verb::start}, {"stops", engine::Verb::stop},     {"restarts", engine::Verb::restart},
      {"checks", engine::Verb::check}, {"unlocks", engine::Verb::unlock}, {"resumes", engine::Verb::resume}};
  return ask(stage, c, verb(kVerbs.at(c.text("verb"))));
}

std::string remediate(Stage& stage, const Captures& c) {
  engine::Operator in = verb(engine::Verb::remediate);
  in.issue = c.has("issue") ? c.text("issue") : std::string();
  return ask(stage, c, in);
}

std::string scale(Stage& stage, const Captures& c) {
  engine::Operator in = verb(engine::Verb::scale);
  in.count = static_cast<std::int32_t>(c.count("count"));
  in.length = c.span("span");
  return ask(stage, c, in);
}

std::string freeze(Stage& stage, const Captures& c) {
  engine::Operator in = verb(engine::Verb::freeze);
  if (!c.has("span")) return ask(stage, c, in);
  in.direction = c.text("way") == "up"     ? engine::Freeze::up
                 : c.text("way") == "down" ? engine::Freeze::down
                                           : engine::Freeze::both;
  in.length = c.span("span");
  return ask(stage, c, in);
}

std::string deploy(Stage& stage, const Captures& c) {
  engine::Operator in = verb(engine::Verb::deploy);
  in.version = c.text("version");
  in.force = c.has("forced");
  return ask(stage, c, in);
}

std::string changed(Stage& stage, const Captures& c) {
  engine::Operator in = verb(engine::Verb::changed);
  in.version = c.text("version");
  return ask(stage, c, in);
}

std::string pause(Stage& stage, const Captures& c) {
  engine::Operator in = verb(engine::Verb::pause);
  in.length = c.span("span");
  return ask(stage, c, in);
}

std::string maintain(Stage& stage, const Captures& c) {
  engine::Operator in = verb(c.has("span") ? engine::Verb::maintenance_begin : engine::Verb::maintenance_end);
  if (c.has("span")) in.length = c.span("span");
  in.reason = c.text("text");
  return ask(stage, c, in);
}

std::string approve(Stage& stage, const Captures& c) {
  if (!stage.alive()) return kNotRunning;
  const PlaceName place = c.place();
  for (const auto& [id, action] : stage.world.durable().actions) {
    const engine::Intent& intent = action.intent;
    const bool meant = intent.service == place.service && (place.slot < 0 || intent.slot == place.slot);
    if (!meant || intent.mode != engine::Mode::approve || action.approved) continue;
    engine::Operator in = verb(engine::Verb::approve);
    in.id = id;
    in.by = "operator";
    return input(stage, in);
  }
  if (const engine::ScalingAsked* asked = stage.world.durable().services.at(place.service).asked_scaling()) {
    engine::Operator in = verb(engine::Verb::approve);
    in.id = asked->id;
    in.by = "operator";
    return input(stage, in);
  }
  return "nothing of it waits for an approval at that time";
}

std::string acknowledge(Stage& stage, const Captures& c) {
  if (!stage.alive()) return kNotRunning;
  const auto& calls = stage.world.durable().escalations;
  for (auto call = calls.rbegin(); call != calls.rend(); ++call) {
    if (call->second.what.service != c.text("service")) continue;
    engine::Operator in = verb(engine::Verb::ack);
    in.id = call->first;
    in.by = "operator";
    return input(stage, in);
  }
  return "nobody was called about it until then";
}

std::string reload(Stage& stage, const Captures& c) {
  const engine::Plan& plan = stage.configs().at(c.text("config")).plan;
  if (stage.alive())
    stage.world.reload(plan);
  else
    stage.world.replace_plan(plan);
  return {};
}

std::string self_check(Stage& stage, const Captures& c) {
  stage.world.self_check_fails(c.text("how") == "fails");
  stage.world.self_check_silent(c.text("how") == "stalls");
  return {};
}

std::string journal(Stage& stage, const Captures& c) {
  if (c.text("how") == "fails") return input(stage, engine::JournalFailed{"the disk answers with an error"});
  stage.world.journal_stalls(c.text("how") == "stalls");
  return {};
}

std::string life(Stage& stage, const Captures& c) {
  const bool starts = c.text("how") == "starts";
  if (starts == stage.alive()) return starts ? "Homeostat runs already" : kNotRunning;
  if (starts)
    stage.boot();
  else
    stage.kill();
  return {};
}

std::vector<EventRow> services() {
  return {
      {Pattern("<place> crashes [with <count>]"), "Its process exits, with 1 or that status.", crash},
      {Pattern("<place> is killed by signal <count>"), "Its process is ended by that signal, as the kernel does by 9.",
       kill},
      {Pattern("<place> runs out of memory"), "The same by 9, and its runtime says why.", kill},
      {Pattern("<service> dies <span> after each start"),
       "The process of each instance started from now on ends so soon.",
       [](Stage& s, const Captures& c) {
         s.world.dies_after_start(c.text("service"), c.span("span"));
         return std::string();
       }},
      {Pattern("<service> stays up"), "… and no more.",
       [](Stage& s, const Captures& c) {
         s.world.dies_after_start(c.text("service"), {});
         return std::string();
       }},
      {Pattern("<place> answers <count> [for <check>]"),
       "Its checks, or that one, get this HTTP status, until it is started or restarted.",
       [](Stage& s, const Captures& c) { return show(s, c, answered(c.count("count"))); }},
      {Pattern("<place> answers in <span> [for <check>]"), "They get a good answer, but so late.",
       [](Stage& s, const Captures& c) {
         return show(s, c, Observation{Result::success, Reason::none, 200, c.span("span")});
       }},
      {Pattern("<place> <how:hangs|refuses|resets|recovers> [for <check>]"),
       "They get no answer in time; are refused; are cut off; get good answers again.",
       [](Stage& s, const Captures& c) { return show(s, c, shown(c.text("how"))); }},
      {Pattern("<place> is <how:unreachable|unseen|reported> [for <check>]"),
       "There is no way to it; Homeostat itself is unable to look (out of descriptors); others say that it is bad.",
       [](Stage& s, const Captures& c) { return show(s, c, shown(c.text("how"))); }},
      {Pattern("<service> comes up answering <count> [on <version>]"),
       "What is started from now on, or on that release, answers so.",
       [](Stage& s, const Captures& c) { return comes_up(s, c, answered(c.count("count"))); }},
      {Pattern("<service> comes up <how:well|hanging|refusing|unseen> [on <version>]"), "The same.",
       [](Stage& s, const Captures& c) { return comes_up(s, c, shown(c.text("how"))); }},
      {Pattern("actions on <service> <how:fail|succeed>"), "Starting it fails, and so do the user's own commands.",
       [](Stage& s, const Captures& c) {
         s.world.fail_starts(c.text("service"), c.text("how") == "fail");
         return std::string();
       }},
      {Pattern("exec cures <service>"), "From now on an `exec` rung makes its answers good.",
       [](Stage& s, const Captures& c) {
         s.cured_by_exec.insert(c.text("service"));
         return std::string();
       }},
  };
}

std::string load(Stage& s, const Captures& c) {
  if (c.has("count"))
    s.world.load(c.text("service"), static_cast<std::int64_t>(c.count("count")) * 1000);
  else
    s.world.load(c.text("service"), std::nullopt);
  return {};
}

/// So many of so many, by one of the metrics that a rollout's judge compares.
std::string sample(Stage& stage, const Captures& c) {
  if (!stage.alive()) return kNotRunning;
  const std::string service = c.text("service");
  const engine::Plan& plan = stage.world.plan();
  const auto planned = std::ranges::find(plan.services, service, &engine::ServicePlan::name);
  const auto known = stage.world.durable().services.find(service);
  if (planned == plan.services.end() || !planned->rollout || known == stage.world.durable().services.end() ||
      !known->second.rollout) {
    return "no rollout of it is under way at that time";
  }
  const auto& metrics = planned->rollout->metrics;
  const auto metric = std::ranges::find(metrics, c.text("metric"), &canary::Metric::name);
  if (metric == metrics.end()) return "its judge compares no such metric";
  engine::Operator in = verb(engine::Verb::rollout_samples);
  in.samples = {{static_cast<std::uint32_t>(metric - metrics.begin()),
                 c.text("version") == known->second.rollout->to ? canary::Arm::canary : canary::Arm::baseline,
                 static_cast<double>(c.count("count")), static_cast<double>(c.count("requests"))}};
  return ask(stage, c, in);
}

std::string gate(Stage& stage, const Captures& c) {
  static const std::map<std::string, std::optional<rollout::GateResult>> kAnswers{
      {"yes", rollout::GateResult::passed},
      {"no", rollout::GateResult::failed},
      {"not_yet", rollout::GateResult::waiting},
      {"nothing", std::nullopt}};
  stage.world.gate_says(c.text("gate"), kAnswers.at(c.text("answer")));
  return {};
}

std::vector<EventRow> loads() {
  return {
      {Pattern("load on <service> is <count>"),
       "What its metrics measure, in their unit: as one number, or shared by the instances that run.", load},
      {Pattern("load on <service> cannot be read"), "Its metrics have no source any more.", load},
      {Pattern("operator scales <service> to <count> for <span>"), "`homeostat scale`: so many by hand.", scale},
      {Pattern("operator freezes <service> [<way:up|down>] for <span>"),
       "`homeostat freeze`: not more, not fewer; without a word neither.", freeze},
      {Pattern("operator unfreezes <service>"), "`homeostat unfreeze`.", freeze},
      {Pattern("of <requests> requests of <service> on <version> <count> count as <metric>"),
       "What the judge of a rollout is told of one version: so many events in so many requests.", sample},
      {Pattern("gate <gate> says <answer:yes|no|not_yet|nothing>"),
       "What the command of a rollout's gate answers from now on; at first it says yes.", gate},
  };
}

std::vector<EventRow> surroundings() {
  return {
      {Pattern("files are <how:missing|there>"), "The files of prerequisites; they are there at the beginning.",
       [](Stage& s, const Captures& c) {
         s.world.file_exists(c.text("how") == "there");
         return std::string();
       }},
      {Pattern("network is <how:cut|restored>"), "Homeostat's own network: no check gets an answer.",
       [](Stage& s, const Captures& c) {
         s.world.network_cut(c.text("how") == "cut");
         return std::string();
       }},
      {Pattern("self_check <how:fails|stalls|works>"),
       "The loopback check that comes before acting on indirect evidence.", self_check},
      {Pattern("journal <how:stalls|fails>"), "Nothing becomes durable; writing ends with an error, for good.",
       journal},
      {Pattern("journal goes on"), "What waited becomes durable, all at once.", journal},
      {Pattern("runtime <how:stalls|answers>"), "What is done is done, but Homeostat is not told.",
       [](Stage& s, const Captures& c) {
         s.world.runtime_silent(c.text("how") == "stalls");
         return std::string();
       }},
      {Pattern("notifier <how:fails|works>"), "Whether escalations reach anybody.",
       [](Stage& s, const Captures& c) {
         s.world.notifier_fails(c.text("how") == "fails");
         return std::string();
       }},
      {Pattern("time jumps <span>"), "Homeostat was stopped for so long (a pause, a suspend), or a clock jumped.",
       [](Stage& s, const Captures& c) { return input(s, engine::Gap{c.span("span")}); }},
      {Pattern("homeostat <how:dies|starts>"), "kill -9 of Homeostat: the services go on; and its next start.", life},
      {Pattern("homeostat loads <config>"),
       "A reload with the configuration of that name; at its next start if it does not run.", reload},
  };
}

std::vector<EventRow> operators() {
  return {
      {Pattern("operator <verb:starts|stops|restarts|checks|unlocks|resumes> <place>"),
       "The command of that name; `resumes everything` ends a pause of all.", order},
      {Pattern("operator deploys <version> to <service> [<forced:with> force]"), "`homeostat deploy`.", deploy},
      {Pattern("operator tells that <service> changed to <version>"), "`homeostat changed`.", changed},
      {Pattern("operator pauses <service> for <span>"), "`homeostat pause`; `everything` for all services.", pause},
      {Pattern("operator pauses <service> forever"), "The same without an end.", pause},
      {Pattern("operator begins maintenance of <service> for <span> [because <text>]"),
       "`homeostat maintenance`; `everything` for all services.", maintain},
      {Pattern("operator ends maintenance of <service>"), "`homeostat maintenance end`.", maintain},
      {Pattern("operator remediates <place> [against <issue>]"), "`homeostat remediate`.", remediate},
      {Pattern("operator approves <place>"), "Its repair, or the change of its number, that waits for an approval.",
       approve},
      {Pattern("operator acknowledges <service>"), "The last escalation of it.", acknowledge},
      {Pattern("operator ends homeostat"), "Homeostat is asked to end in order.",
       [](Stage& s, const Captures&) { return input(s, verb(engine::Verb::shutdown)); }},
  };
}

}  // namespace

const std::vector<EventRow>& event_rows() {
  static const std::vector<EventRow> kRows = [] {
    std::vector<EventRow> all = services();
    for (auto* more : {loads, traffic_events, surroundings, operators}) {
      for (EventRow& row : more()) all.push_back(std::move(row));
    }
    return all;
  }();
  return kRows;
}

}  // namespace homeostat::scenario
