// Asks sources of numbers, any number of them at once. Each is answered within its time-out; one that hangs delays no
// other, and what an answer takes to be read is not taken from the loop.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "core/error.hpp"
#include "os/loop.hpp"
#include "os/run.hpp"
#include "probe/mailbox.hpp"
#include "probe/slow_path.hpp"
#include "probe/source.hpp"
#include "traffic/haproxy.hpp"

namespace homeostat::probe {

class Sampler {
 public:
  using Done = std::move_only_function<void(Reading)>;

  /// Commands get cgroups of their own below `cgroups` where that is given.
  static std::expected<std::unique_ptr<Sampler>, Error> open(os::Loop& loop, std::function<Instant()> now,
                                                             std::optional<os::Cgroups> cgroups = std::nullopt);

  /// `done` is called once, on the loop's thread, possibly before this returns.
  void ask(const SourceSpec& source, const Place& place, Instant now, Done done);
  /// What is under way is not answered any more.
  void forget_all();

  std::optional<Instant> next_deadline() const;
  void advance(Instant now);

 private:
  struct Pending {
    Instant ends{};
    Done done;
  };

  Sampler(os::Loop& loop, std::function<Instant()> now, std::optional<os::Cgroups> cgroups)
      : loop_(loop), now_(std::move(now)), runner_(loop, std::move(cgroups)) {}
  void ask_http(std::uint64_t ticket, const HttpSource& source, const Place& place, Duration timeout);
  void ask_haproxy(std::uint64_t ticket, const HaproxySource& source, Duration timeout);
  void run_command(std::uint64_t ticket, const SourceSpec& source, const Place& place, Instant now);
  void answer(std::uint64_t ticket, Reading reading);

  os::Loop& loop_;
  std::function<Instant()> now_;
  std::uint64_t tickets_ = 0;
  std::map<std::uint64_t, Pending> pending_;
  std::map<std::uint64_t, std::unique_ptr<traffic::Haproxy>> proxies_;
  os::Runner runner_;
  std::unique_ptr<Mailbox> mailbox_;
  std::unique_ptr<SlowPath> path_;  // posts to the mailbox, so it ends before it
};

}  // namespace homeostat::probe
