// run
#include <memory>

#include "cli/context.hpp"
#include "daemon/run.hpp"

namespace homeostat::cli {

void add_run_verbs(CLI::App& app, Context& context) {
  const auto shadow = std::make_shared<bool>(false);
  const auto file = std::make_shared<std::string>();
  CLI::App* verb = add_verb(app, context, "run", "Look after the services, in the foreground",
                            "homeostat run homeostat.yaml --state-dir ./state", [&context, shadow, file] {
                              const std::string& config = file->empty() ? context.config : *file;
                              return daemon::run({config, context.state_dir, context.socket, *shadow});
                            });
  verb->add_option("FILE", *file, "The configuration; without it the one of --config");
  verb->add_flag("--shadow", *shadow, "Decide and record only; nothing is done to any service");
}

}  // namespace homeostat::cli
