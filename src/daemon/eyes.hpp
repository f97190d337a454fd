// The engine's eyes: its probe commands, run by the prober; the answers come back as inputs.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "config/config.hpp"
#include "daemon/places.hpp"
#include "engine/engine.hpp"
#include "probe/prober.hpp"

namespace homeostat::daemon {

class Eyes {
 public:
  using Feed = std::function<void(engine::Input)>;
  using RuntimeSays = std::function<probe::Finding(engine::ServiceId, engine::Slot, const probe::RuntimeSpec&)>;
  /// What the program around knows.
  struct Around {
    std::function<Instant()> now;
    RuntimeSays runtime_says;
    std::function<probe::Finding(const Labels&)> alerts_say;
    std::function<void(std::string&)> hide_secrets;
  };

  static std::expected<std::unique_ptr<Eyes>, Error> open(os::Loop& loop, const engine::Engine& engine, Feed feed,
                                                          Around around, std::optional<os::Cgroups> cgroups);

  /// The targets have other numbers: a configuration has been loaded.
  void configure(const config::Config& config);
  /// An instance runs somewhere else now: its targets are prepared anew.
  void place_changed(engine::ServiceId service, engine::Slot slot);

  void look(const engine::Probe& probe, Instant now);
  void self_check(const engine::SelfCheck& check, Instant now);

  /// What the last look at a target said beside its result; empty when nothing.
  std::string_view last_words(engine::TargetId target) const;
  /// What the checks by which a service, or this place of it, is not well have said last; a line, empty: nothing.
  std::string complaints(engine::ServiceId service, std::optional<engine::Slot> slot) const;

  std::optional<Instant> next_deadline() const { return prober_->next_deadline(); }
  void advance(Instant now) { prober_->advance(now); }

 private:
  Eyes(const engine::Engine& engine, Feed feed, Around around)
      : engine_(engine), feed_(std::move(feed)), around_(std::move(around)) {}
  using Name = std::tuple<std::string, std::string, engine::Slot>;  // the service, the check

  /// What the check of a target goes by in every configuration, where it remembers what it has seen.
  std::optional<Name> remembered(engine::TargetId target) const;
  void prepare(engine::TargetId target);
  probe::Finding known(engine::TargetId target) const;

  const engine::Engine& engine_;
  Feed feed_;
  Around around_;
  const config::Config* config_ = nullptr;
  std::unique_ptr<probe::Prober> prober_;
  std::map<Name, engine::TargetId> remembering_;
  std::map<engine::TargetId, std::string> last_words_;
};

}  // namespace homeostat::daemon
