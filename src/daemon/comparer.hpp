// Asks the sources of a rollout's judge what each version does.
#pragma once

#include <functional>
#include <memory>

#include "config/config.hpp"
#include "engine/engine.hpp"
#include "probe/sampler.hpp"

namespace homeostat::daemon {

class Comparer {
 public:
  using Feed = std::function<void(engine::Input)>;

  Comparer(const engine::Engine& engine, probe::Sampler& sampler, Feed feed)
      : engine_(engine), sampler_(sampler), feed_(std::move(feed)) {}

  /// Answered when every source has told something, or why it cannot.
  void measure(const engine::MeasureVersions& command, const config::Config& config, Instant now);

 private:
  struct Round {
    engine::VersionsMeasured answer;
    std::size_t waiting = 1;  // the last of whom is the one who asks
  };
  using RoundPtr = std::shared_ptr<Round>;

  void ask(const RoundPtr& round, const probe::SourceSpec& source, const probe::Place& place,
           engine::VersionSample sample, Instant now);
  void answered(const RoundPtr& round);

  const engine::Engine& engine_;
  probe::Sampler& sampler_;
  Feed feed_;
};

}  // namespace homeostat::daemon
