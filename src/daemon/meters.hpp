// The engine's measure commands: what the instances use is read at once, other sources are asked; a round is answered
// when all of them have answered or their time is up.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>

#include "config/config.hpp"
#include "engine/engine.hpp"
#include "os/usage.hpp"
#include "probe/rates.hpp"
#include "probe/sampler.hpp"

namespace homeostat::daemon {

class Meters {
 public:
  using Feed = std::function<void(engine::Input)>;

  static std::expected<std::unique_ptr<Meters>, Error> open(os::Loop& loop, const engine::Engine& engine, Feed feed,
                                                            std::function<Instant()> now,
                                                            std::optional<os::Cgroups> cgroups);

  /// Services have other numbers: a configuration has been loaded.
  void configure(const config::Config& config);
  void measure(const engine::Measure& command, Instant now);
  void read_clocks(const engine::ReadClocks& command) const;

  /// Who else has something to ask shares it: at a change of the configuration all that is asked is forgotten.
  probe::Sampler& sampler() { return *sampler_; }

  std::optional<Instant> next_deadline() const { return sampler_->next_deadline(); }
  void advance(Instant now) { sampler_->advance(now); }

 private:
  /// What an instance had used when it was last looked at.
  struct Seen {
    Incarnation incarnation;
    Instant at{};
    os::Usage usage;
  };
  struct Round {
    engine::Measured answer;
    Instant asked{};
    std::size_t waiting = 1;  // questions without an answer; one of them is whether all have been asked
  };
  using RoundPtr = std::shared_ptr<Round>;

  using SourceName = std::tuple<std::string, std::string, std::uint64_t>;  // the service, the metric, what is asked

  Meters(const engine::Engine& engine, Feed feed) : engine_(engine), feed_(std::move(feed)) {}

  void renumber_rates();
  void read_use(const engine::Measure& command, Instant now, engine::Measured& answer);
  void add(engine::ServiceId service, engine::Slot slot, const engine::InstanceState& instance, Instant now,
           engine::Measured& answer);
  void ask(const RoundPtr& round, std::size_t metric);
  void ask_one(const RoundPtr& round, std::size_t metric, engine::Slot slot);
  void told(const RoundPtr& round, std::size_t metric, engine::Slot slot, const probe::Reading& reading);
  void share_out(Round& round, std::size_t metric, const std::vector<probe::Told>& told);
  void answered(const RoundPtr& round);
  std::vector<engine::Slot> running(engine::ServiceId service) const;

  const engine::Engine& engine_;
  Feed feed_;
  const config::Config* config_ = nullptr;
  std::unique_ptr<probe::Sampler> sampler_;
  std::map<std::pair<std::string, engine::Slot>, Seen> last_;  // by the service's name
  std::map<SourceName, std::uint32_t> rated_;                  // the sources of which the rate is meant
  probe::Rates rates_;
};

}  // namespace homeostat::daemon
