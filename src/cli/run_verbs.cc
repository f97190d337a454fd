// run
#include <memory>

#include "cli/context.hpp"
#include "daemon/run.hpp"

namespace homeostat::cli {

void add_run_verbs(CLI::App& app, Context& context) {
  const auto shadow = std::make_shared<bool>(false);
  add_verb(app, context, "run", "Look after the services, in the foreground",
           "homeostat run --config homeostat.yaml --state-dir ./state",
           [&context, shadow] { return daemon::run({context.config, context.state_dir, context.socket, *shadow}); })
      ->add_flag("--shadow", *shadow, "Decide and record only; nothing is done to any service");
}

}  // namespace homeostat::cli
