// notify, and the verb by which the daemon sends a page
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>

#include "api/json.hpp"
#include "cli/context.hpp"
#include "config/load.hpp"
#include "daemon/command.hpp"
#include "engine/secrets.hpp"
#include "notify/deliver.hpp"

namespace homeostat::cli {
namespace {

namespace json = boost::json;

struct NotifyChoice {
  std::string notifier;
  std::string message = "This is a test of the notifier; nothing is wrong.";
};

Instant now() {
  return Instant(std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch()));
}

const config::NotifierSpec* find_notifier(const config::Config& config, const std::string& name) {
  const auto found =
      std::ranges::find_if(config.notifiers, [&](const auto& known) { return known.command.name == name; });
  return found == config.notifiers.end() ? nullptr : &*found;
}

/// As the daemon calls it.
std::expected<runtime::CommandResult, Error> call(const config::NotifierSpec& notifier, const std::string& message) {
  auto loop = os::Loop::open();
  if (!loop) return std::unexpected(loop.error());
  runtime::CommandRunner runner(*loop);
  std::optional<runtime::CommandResult> result;
  notify::Page page{.service = {},
                    .summary = message,
                    .incident = {},
                    .escalation = "test." + std::to_string(::getpid()),
                    .attempt = "1",
                    .host = notify::host_name()};
  page.key = deduplication_key(page);
  runner.run(daemon::command_of(notifier), daemon::values_of(page), now(),
             [&](runtime::CommandResult ended) { result = std::move(ended); });
  while (!result) {
    loop->run_once(runner.next_deadline().value_or(now() + std::chrono::seconds(1)) - now());
    runner.advance(now());
  }
  return *result;
}

int notify(const Context& context, const NotifyChoice& choice) {
  const auto config = config::load(context.config);
  if (!config) {
    for (const config::Problem& problem : config.error()) std::fprintf(stderr, "%s\n", config::render(problem).c_str());
    return kUsage;
  }
  const config::NotifierSpec* const notifier = find_notifier(*config, choice.notifier);
  if (notifier == nullptr) {
    std::string known;
    for (const config::NotifierSpec& one : config->notifiers) known += (known.empty() ? "" : ", ") + one.command.name;
    return complain(kUsage, "no notifier is called " + choice.notifier +
                                (known.empty() ? "; the configuration has none" : "; there are: " + known));
  }
  const auto result = call(*notifier, choice.message);
  if (!result) return complain(kBad, result.error().text);
  std::string said = runtime::describe(*result);
  engine::Secrets(config->secrets).hide(said);
  if (context.json) {
    const json::object answer{{"notifier", choice.notifier}, {"ok", result->ok()}, {"detail", said}};
    std::printf("%s\n", json::serialize(answer).c_str());
  } else {
    std::printf("%s %s: %s\n", choice.notifier.c_str(), result->ok() ? "was told" : "was not told", said.c_str());
  }
  return result->ok() ? kOk : kBad;
}

}  // namespace

void add_notify_verbs(CLI::App& app, Context& context) {
  const auto choice = std::make_shared<NotifyChoice>();
  CLI::App* verb = add_verb(app, context, "notify", "Send a message through a notifier, to see that it arrives",
                            "homeostat notify oncall --message 'hello from the new machine'",
                            [&context, choice] { return notify(context, *choice); });
  verb->add_option("NOTIFIER", choice->notifier, "Its name under `notify`")->required();
  verb->add_option("--message", choice->message, "What is sent")->capture_default_str();
  app.add_subcommand(notify::kVerb, "Send the page that the environment tells")->group("")->callback([&context] {
    context.exit_code = notify::deliver();
  });
}

}  // namespace homeostat::cli
