// The command line.
#include <exception>

#include "cli/context.hpp"

namespace {

int run(int argc, char** argv) {
  using namespace homeostat::cli;
  Context context;
  CLI::App app("Homeostat keeps services alive: it detects, diagnoses, repairs, and proves that it helped.",
               "homeostat");
  app.require_subcommand(1);
  app.fallthrough();
  app.footer(
      "\nExit codes: 0 ok, 1 the answer is bad, 2 wrong command line or configuration, 3 no daemon answers, 4 "
      "refused.\n"
      "`homeostat VERB --help` tells more.");
  app.add_option("--config", context.config, "The configuration file")->capture_default_str();
  app.add_option("--state-dir", context.state_dir, "Journal, socket and output [HOMEOSTAT_STATE_DIR]");
  app.add_option("--socket", context.socket, "The daemon's socket [HOMEOSTAT_SOCKET] (STATE_DIR/homeostat.sock)");
  app.add_flag("--json", context.json, "Answers as JSON, for programs");
  app.add_flag("--no-color", context.no_color, "No colours, also on a terminal");
  add_run_verbs(app, context);
  add_config_verbs(app, context);
  add_graph_verbs(app, context);
  add_status_verbs(app, context);
  add_history_verbs(app, context);
  add_move_verbs(app, context);
  add_govern_verbs(app, context);
  add_maintenance_verbs(app, context);
  add_scale_verbs(app, context);
  add_rollout_verbs(app, context);
  add_notify_verbs(app, context);
  add_journal_verbs(app, context);
  add_replay_verbs(app, context);
  add_simulate_verbs(app, context);
  add_test_verbs(app, context);
  add_eval_verbs(app, context);
  add_shell_verbs(app, context);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kOk : kUsage;
  }
  return context.exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    return homeostat::cli::complain(homeostat::cli::kBad, error.what());
  }
}
