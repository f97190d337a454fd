#include "kills.hpp"

#include <fmt/format.h>

#include <csignal>
#include <fstream>
#include <random>
#include <set>
#include <sstream>

#include "journal/check.hpp"
#include "journal/reader.hpp"
#include "lab.hpp"

namespace homeostat::soak {
namespace {

using namespace lab;

constexpr int kWeb = 3;               // instances of `web`, on the first ports
constexpr int kMended = kWeb;         // the port of `mended`, which a hook heals
constexpr int kBystander = kWeb + 1;  // the port of `bystander`, which nobody hurts
constexpr int kInstances = kWeb + 2;
constexpr std::uint64_t kConvergeEvery = 10;  // kills
constexpr auto kPatience = std::chrono::seconds(60);

std::string place_of(int port) {
  if (port == kMended) return "mended/0";
  if (port == kBystander) return "bystander/0";
  return fmt::format("web/{}", port);
}

/// One line of what instances and hooks have noted.
struct Note {
  std::string kind, place, pid, command, alone, nonce;
};

class Chaos {
 public:
  explicit Chaos(std::uint64_t seed) : random_(seed) {
    const std::string hook =
        fmt::format("exec: {{ command: [{}/noted, hook, {}, '{}'], verify_within: 2s, attempts: 9 }}", build_dir(),
                    notes(), lab_.port(kMended));
    lab_.configure({service("web", 0, kWeb, "restart: { attempts: 100, verify_within: 2s }"),
                    service("mended", kMended, 1, hook),
                    service("bystander", kBystander, 1, "restart: { attempts: 100, verify_within: 2s }")});
  }

  KillReport run(std::uint64_t count, const std::function<void(std::uint64_t)>& progress) {
    if (!lab_.start() || !converge()) fail("it did not come up:\n" + lab_.log());
    for (std::uint64_t i = 1; i <= count && report_.problem.empty(); ++i) {
      kill_once();
      check_journal_of_the_dead();
      lab_.launch();
      if (i % kConvergeEvery == 0 || i == count) converge();
      if (progress) progress(i);
    }
    report_.records = last_seq_;
    return std::move(report_);
  }

 private:
  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }
  std::string notes() const { return lab_.dir() + "/notes"; }
  void fail(const std::string& what) {
    if (report_.problem.empty()) report_.problem = fmt::format("after {} kills: {}", report_.total(), what);
  }

  std::string service(const std::string& name, int port, int instances, const std::string& rung) const {
    const int first = lab_.port(port);
    return fmt::format(
        "  {0}: {{ run: {{ process: {{ command: [{1}/noted, start, {2}, '{3}/run/{0}.{{instance}}.lock', '--',\n"
        "      {1}/quickstart_service, --port, '{{port}}'], ports: {4}-{5} }} }}, instances: {6},\n"
        "    checks: {{ alive: {{ http: {{ path: /healthz }}, timeout: 3s }} }},\n"
        "    remediation: [{{ {7} }}, {{ escalate: {{}} }}],\n"
        "    backoff: {{ initial: 50ms, max: 200ms }}, budget: {{ max_actions: 100000, per: 10m }},\n"
        "    rearm_after: 100ms, reopen_within: 100ms }}\n",
        name, build_dir(), notes(), lab_.state(), first, first + instances - 1, instances, rung);
  }

  // Hurts somebody, or asks for something, and kills the daemon at a random moment of what follows.
  void kill_once() {
    const std::uint64_t kind = below(10);
    if (kind < 3) return kill_after(below(60), "while it starts");
    if (!lab_.answers()) return fail("it does not answer:\n" + lab_.log());
    if (kind == 3) return kill_after(below(100), "at rest");
    if (kind == 4) return kill_at_a_command();
    const int port = static_cast<int>(below(kBystander));
    const pid_t pid = lab_.pid(place_of(port));
    if (kind < 8 && pid > 0 && port != kMended) {  // a hook cannot mend what is dead
      ::kill(pid, SIGKILL);
      return kill_after(below(kind == 5 ? 5 : 60), "after a crash");
    }
    lab_.break_instance(port, "500");
    kill_after(below(400), "after a 500");
  }
  void kill_after(std::uint64_t milliseconds, const char* point) {
    ::poll(nullptr, 0, static_cast<int>(milliseconds));
    lab_.kill9();
    ++report_.kills[point];
  }
  // What was answered has been recorded: the kill comes right behind the answer.
  void kill_at_a_command() {
    const Answer answer = lab_.post("pause", {{"service", "bystander"}, {"for", fmt::format("{}s", 1 + below(3'000))}});
    lab_.kill9();
    ++report_.kills["behind an answer"];
    if (answer.status != 200) return fail(fmt::format("a pause was answered with {} {}", answer.status, answer.body));
    ++report_.confirmed;
    boost::system::error_code error;
    const json::value said = json::parse(answer.body, error);
    confirmed_seq_ = std::strtoull(text_at(said, "seq").c_str(), nullptr, 10) + 1;
  }

  // Nothing that was there is gone or different, and what the daemon had confirmed is there.
  void check_journal_of_the_dead() {
    const journal::Health health = journal::check_journal(lab_.state(), {});
    if (health.trust != journal::Trust::ok) return fail("the journal: " + health.reason);
    if (health.last_seq < std::max(last_seq_, confirmed_seq_)) {
      return fail(fmt::format("the journal ends at {}, but {} was confirmed", health.last_seq,
                              std::max(last_seq_, confirmed_seq_)));
    }
    auto reader = journal::Reader::open(lab_.state());
    if (!reader) return fail(reader.error().text);
    const auto read = reader->read_all(std::max<std::uint64_t>(last_seq_, 1),
                                       [&](const journal::EntryView& record) { return take(journal::copy(record)); });
    if (!read) fail(read.error().text);
    read_notes();
    phases_.killed(report_.phases, [&](const std::string& action) { return done_.contains("command=" + action); });
    if (confirmed_seq_ != 0 && !pause_found_) fail(fmt::format("no pause from {} on", confirmed_seq_));
    confirmed_seq_ = 0;
    pause_found_ = false;
  }
  bool take(const journal::Entry& entry) {
    if (entry.seq == last_seq_ && entry != last_) fail(fmt::format("record {} has changed", entry.seq));
    // What was due at that moment is recorded before it.
    pause_found_ = pause_found_ || (entry.seq >= confirmed_seq_ && entry.type == "paused");
    if (entry.seq > last_seq_ && entry.type == "intent") {
      const json::value intent = json::parse(entry.payload);
      intended_.insert("command=" + text_at(intent, "id.epoch") + "." + text_at(intent, "id.counter"));
    }
    if (entry.seq > last_seq_) phases_.take(entry);
    last_seq_ = entry.seq;
    last_ = entry;
    return true;
  }

  // Left in peace it repairs everything, and everything fits together.
  bool converge() {
    const auto well = [&] {
      if (text_at(lab_.service_status("mended"), "flags").find("locked") != std::string::npos &&
          lab_.post("unlock", {{"service", "mended"}}).status == 200) {
        ++report_.locked;
      }
      return lab_.health("web") == "healthy" && lab_.health("mended") == "healthy" &&
             lab_.health("bystander") == "healthy";
    };
    if (!lab_.answers() || !within(kPatience, well)) {
      fail("not everything is well again:\n" + json::serialize(lab_.status()));
      return false;
    }
    read_notes();
    compare_with_intents();
    for (int port = 0; port < kInstances; ++port) expect_one(port);
    return report_.problem.empty();
  }
  void read_notes() {
    std::ifstream file(notes());
    file.seekg(read_to_);
    for (std::string line; std::getline(file, line); read_to_ = file.tellg()) {
      std::istringstream words(line);
      Note note;
      words >> note.kind >> note.place >> note.pid >> note.command >> note.alone >> note.nonce;
      if (note.alone != "alone") fail("two at once: " + line);
      if (!done_.insert(note.command).second) fail("carried out twice: " + line);
      noted_.insert(note.command);
      (note.kind == "hook" ? report_.hooks : report_.starts) += 1;
      if (note.kind == "start") last_start_[note.place] = note;
      if (note.place == "bystander/0" && report_.starts > kInstances) fail("nobody hurt it: " + line);
    }
  }
  // The intents of this life are not read yet; those of the notes must be among what comes by its end.
  void compare_with_intents() {
    catch_up();
    for (const std::string& command : noted_) {
      if (!intended_.contains(command)) fail("without an intent: " + command);
    }
    noted_.clear();
  }
  void catch_up() {
    auto reader = journal::Reader::open(lab_.state());
    if (!reader) return fail(reader.error().text);
    const auto read =
        reader->read_all(last_seq_ + 1, [&](const journal::EntryView& record) { return take(journal::copy(record)); });
    if (!read) fail(read.error().text);
  }
  // No child is lost: exactly one lives, it is the one that was started last, and the daemon knows it.
  void expect_one(int port) {
    const std::string place = place_of(port);
    const std::string noted = last_start_[place].pid;
    const auto alive = lab_.pids(place);
    if (alive.size() != 1 || std::to_string(alive.front()) != noted) {
      return fail(fmt::format("{} processes of {}, the last one started is {}", alive.size(), place, noted));
    }
    const std::string slash = place.substr(0, place.find('/'));
    const int slot = port < kWeb ? port : 0;
    const std::string known = text_at(lab_.service_status(slash), fmt::format("instances.{}.pid", slot));
    if (known != noted) fail(fmt::format("{} is pid {}, but the daemon knows {}", place, noted, known));
  }

  Lab lab_;
  std::mt19937_64 random_;
  KillReport report_;
  Phases phases_;
  std::uint64_t last_seq_ = 0;
  journal::Entry last_;
  std::uint64_t confirmed_seq_ = 0;
  bool pause_found_ = false;
  std::set<std::string> intended_;
  std::set<std::string> done_;
  std::set<std::string> noted_;  // not yet compared with the intents
  std::map<std::string, Note> last_start_;
  std::streamoff read_to_ = 0;
};

}  // namespace

std::uint64_t KillReport::total() const {
  std::uint64_t sum = 0;
  for (const auto& [point, count] : kills) sum += count;
  return sum;
}

std::ostream& operator<<(std::ostream& out, const KillReport& report) {
  const auto row = [&](std::string_view what, std::uint64_t count) {
    out << fmt::format("{:<52} {:>9}\n", what, count);
  };
  for (const auto& [point, count] : report.kills) row("killed " + point, count);
  row("kills", report.total());
  for (const auto& [phase, count] : report.phases) row("  " + phase, count);
  row("starts, each noted by the instance itself", report.starts);
  row("runs of a hook, each noted by itself", report.hooks);
  row("hooks of unknown outcome, locked and said", report.locked);
  row("commands confirmed right before a kill", report.confirmed);
  row("records in the journal", report.records);
  return out << (report.problem.empty() ? "nothing lost, nothing done twice\n" : "WRONG " + report.problem + "\n");
}

KillReport run_kills(std::uint64_t seed, std::uint64_t count, const std::function<void(std::uint64_t)>& progress) {
  return Chaos(seed).run(count, progress);
}

}  // namespace homeostat::soak
