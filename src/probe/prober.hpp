// Runs the checks: one run a target at a time, any number of targets, on one loop. A target that hangs delays no other.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/error.hpp"
#include "homeostat/observation.hpp"
#include "os/cgroup.hpp"
#include "os/loop.hpp"
#include "os/run.hpp"
#include "probe/exchange.hpp"
#include "probe/file_check.hpp"
#include "probe/haproxy_check.hpp"
#include "probe/judge.hpp"
#include "probe/mailbox.hpp"
#include "probe/promql_check.hpp"
#include "probe/responder.hpp"
#include "probe/sampler.hpp"
#include "probe/slow_path.hpp"
#include "probe/spec.hpp"
#include "probe/timeouts.hpp"

namespace homeostat::probe {

class Prober {
 public:
  /// What the prober needs from the program around it. All are called on the loop's thread.
  struct Hooks {
    std::function<Instant()> now;                        // to measure latency
    std::function<std::int64_t()> wall_ns;               // for file ages, ns since 1970
    std::function<Finding(std::uint32_t target)> known;  // answers checks of what the program around is told
    /// A run has ended. `detail` is for people: one line of at most 256 bytes, empty when there is nothing to say. It
    /// may call start and cancel, not prepare or renumber. May be called from within start, prepare and advance.
    std::function<void(std::uint32_t target, std::uint32_t run, const Observation& seen, std::string_view detail)> done;
  };

  /// Exec checks get cgroups of their own below `cgroups` where that is given.
  static std::expected<std::unique_ptr<Prober>, Error> open(os::Loop& loop, Hooks hooks,
                                                            std::optional<os::Cgroups> cgroups = std::nullopt);
  ~Prober();
  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;

  /// Says what a target is. Needed before its first run and whenever its spec or place changes; targets are dense
  /// numbers from 0. A run in flight ends as unknown. A spec that makes no sense makes every run of it unknown.
  void prepare(std::uint32_t target, const Spec& spec, const Place& place);
  /// Begins a run. Every start is answered by `done` once, unless cancelled; a run of the same target that is still
  /// under way ends as unknown first.
  void start(std::uint32_t target, std::uint32_t run, Duration timeout, Instant now);
  /// Ends a run without an answer. Harmless for an idle target.
  void cancel(std::uint32_t target);
  /// Ends all runs without answers, and gives the targets other numbers: a new configuration follows, and each is
  /// prepared anew. `was` has for each the number it had, or kNew. One that asks for the same as before goes on with
  /// what it has seen.
  void renumber(const std::vector<std::uint32_t>& was);
  static constexpr std::uint32_t kNew = 0xffffffffU;

  /// Talks to our own responder over the loopback, by the same means as to any target. A check that is under way is
  /// shared. `ok` is false when it failed: then it is us, not the services.
  void self_check(std::function<void(bool ok)> done, Duration timeout, Instant now);

  std::optional<Instant> next_deadline() const;
  /// Ends what has taken too long. Call it when next_deadline has come, and as often as you like.
  void advance(Instant now);

 private:
  struct Broken {
    std::string why;
  };
  struct Command {
    os::ChildSpec child;
    os::RunId id = 0;
  };
  // Nothing large in place: there are many targets, and most are of one kind.
  using Way = std::variant<Broken, std::unique_ptr<Exchange>, std::shared_ptr<const SlowRequest>,
                           std::unique_ptr<Command>, std::shared_ptr<const FileSpec>, std::unique_ptr<PromqlCheck>,
                           std::unique_ptr<HaproxyCheck>, ProcessSpec>;
  /// Instances that want to know the same of one HAProxy share the answer: its socket takes few connections at once.
  struct Question {
    HaproxySource source;
    std::vector<std::pair<std::uint32_t, std::uint64_t>> waiting{};  // targets, with their tickets
  };
  struct Target {
    Way way;
    bool busy = false;
    bool renumbered = false;  // not prepared yet since
    std::uint32_t run = 0;
    std::uint64_t ticket = 0;
    Instant began{};
  };

  Prober(os::Loop& loop, Hooks hooks, std::optional<os::Cgroups> cgroups);

  static bool goes_on(const Target& target, const Way& next);
  Way way_to(std::uint32_t target, const Spec& spec, const Place& place);
  Way way_to(std::uint32_t target, const HttpSpec& spec);
  Way way_to(std::uint32_t target, const TcpSpec& spec);
  std::shared_ptr<const HttpSpec> judged_by(HttpSpec spec);
  static Way way_to(const ExecSpec& spec, const Place& place);
  void start_command(std::uint32_t target, Command& command, Duration timeout, Instant now);
  void ask_haproxy(std::uint32_t target, const HaproxyCheck& check, Duration timeout, Instant now);
  void haproxy_answered(std::uint64_t question, const Reading& reading);
  void finish(std::uint32_t target, const Observation& seen, std::string_view detail);
  void give_up(std::uint32_t target, std::string_view why);
  void on_letter(Letter&& letter);
  void on_timeout(std::uint32_t target);
  bool spare_descriptors();
  void self_checked(bool ok);

  Hooks hooks_;
  Network network_;
  Timeouts timeouts_;
  os::Runner runner_;
  std::uint64_t tickets_ = 0;
  Instant short_until_{};  // descriptors ran out: no connection is kept until then
  std::deque<Target> targets_;
  std::shared_ptr<const HttpSpec> judged_by_;  // of the last target prepared
  std::unique_ptr<Responder> responder_;
  std::unique_ptr<Exchange> self_;
  std::vector<std::function<void(bool ok)>> self_waiting_;
  std::unique_ptr<Sampler> numbers_;  // of HAProxy
  std::map<std::uint64_t, Question> questions_;
  std::unique_ptr<Mailbox> mailbox_;
  std::unique_ptr<FileLooker> files_;  // these two post to the mailbox, so they end before it
  std::unique_ptr<SlowPath> slow_;
};

}  // namespace homeostat::probe
