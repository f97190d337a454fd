// What every verb needs: the common options, where things lie, how to end.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace homeostat::cli {

/// Exit codes; documented in docs/cli.md.
enum Exit : int {
  kOk = 0,
  kBad = 1,          // the answer is bad: a check failed, an operation stopped, something is unhealthy (--exit-code)
  kUsage = 2,        // the command line or the configuration is wrong
  kUnreachable = 3,  // no daemon answers, or the journal cannot be read
  kRefused = 4,      // the daemon does not do it
};

struct Context {
  std::string config = "/etc/homeostat/homeostat.yaml";
  std::string state_dir;
  std::string socket;
  bool json = false;
  bool no_color = false;
  int exit_code = kOk;  // set by the verb that ran

  /// Fills in what was not said: the environment, then the defaults.
  void complete();
  /// True when standard output is a terminal that wants colours.
  bool color() const;
};

/// Prints "homeostat: TEXT" to standard error and returns `code`.
int complain(int code, const std::string& text);

/// A verb of `app` that sets the context's exit code from `body`; `example` ends its help.
template <class F>
CLI::App* add_verb(CLI::App& app, Context& context, const std::string& name, const std::string& what,
                   const std::string& example, F body) {
  CLI::App* verb = app.add_subcommand(name, what);
  verb->footer("\nExample: " + example);
  verb->callback([&context, body] {
    context.complete();
    context.exit_code = body();
  });
  return verb;
}

// One function a group of verbs, each in its own file.
void add_run_verbs(CLI::App& app, Context& context);
void add_config_verbs(CLI::App& app, Context& context);
void add_graph_verbs(CLI::App& app, Context& context);
void add_status_verbs(CLI::App& app, Context& context);
void add_history_verbs(CLI::App& app, Context& context);
void add_move_verbs(CLI::App& app, Context& context);
void add_govern_verbs(CLI::App& app, Context& context);
void add_maintenance_verbs(CLI::App& app, Context& context);
void add_rollout_verbs(CLI::App& app, Context& context);
void add_scale_verbs(CLI::App& app, Context& context);
void add_notify_verbs(CLI::App& app, Context& context);
void add_journal_verbs(CLI::App& app, Context& context);
void add_replay_verbs(CLI::App& app, Context& context);
void add_simulate_verbs(CLI::App& app, Context& context);
void add_test_verbs(CLI::App& app, Context& context);
void add_eval_verbs(CLI::App& app, Context& context);
void add_shell_verbs(CLI::App& app, Context& context);

}  // namespace homeostat::cli
