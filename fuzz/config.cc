// The configuration as a file of any content: typed values with which an engine runs, or problems that say where in the
// file they are; never both, never neither.
#include <algorithm>

#include "config/load.hpp"
#include "config/value.hpp"
#include "engine/engine.hpp"
#include "kit.hpp"
#include "problems.hpp"

namespace homeostat::fuzz {
namespace {

/// An engine takes whatever the reader lets through.
void start(const config::Config& config) {
  require(config.plan.services.size() == config.runtimes.size(), "each service has a runtime");
  std::size_t instances = 0;
  for (const engine::ServicePlan& service : config.plan.services) {
    require(config::is_name(service.name), "a service has a name");
    instances += service.instances;
    for (const engine::CheckPlan& check : service.checks) {
      require(check.probe < config.probes.size(), "a check knows how to look");
    }
  }
  if (instances > 64) return;
  engine::Engine engine;
  engine::Commands out;
  Instant now(std::chrono::seconds(1));
  engine.start(config.plan, "fuzz", now, out);
  engine.step(engine::Recovered{}, now, out);
  for (int i = 0; i < 4; ++i) {
    const auto next = engine.next_deadline();
    if (!next) break;
    now = std::max(now, *next);
    engine.step(engine::Tick{}, now, out);
  }
}

}  // namespace

void run(std::string_view input) {
  const auto loaded = config::load_text(input, "h.yaml");
  if (!loaded) return judge_problems(loaded.error(), input);
  require(loaded->text == input, "the text is kept as it was read");
  start(*loaded);
}

}  // namespace homeostat::fuzz
