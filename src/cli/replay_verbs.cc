// replay
#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "api/history.hpp"
#include "api/narrator.hpp"
#include "api/past.hpp"
#include "cli/context.hpp"
#include "cli/show.hpp"
#include "daemon/replay.hpp"

namespace homeostat::cli {
namespace {

struct ReplayChoice {
  std::uint64_t incident = 0;
  std::string with;
};

/// The time of one incident, with a minute before it.
std::expected<void, Error> limit_to(const std::string& state_dir, std::uint64_t incident, daemon::ReplayOptions& out) {
  const auto past = api::read_past(state_dir);
  if (!past) return std::unexpected(past.error());
  const auto found = past->durable.incidents.find(incident);
  if (found == past->durable.incidents.end()) return fail(fmt::format("the journal knows no incident {}", incident));
  out.from = found->second.first_failure - std::chrono::minutes(1);
  if (found->second.ending != engine::Ending::open) out.to = found->second.closed_at;
  return {};
}

int run_replay(const Context& context, const ReplayChoice& choice) {
  daemon::ReplayOptions options;
  options.state_dir = context.state_dir;
  options.config = choice.with;
  if (choice.incident != 0) {
    if (const auto limited = limit_to(context.state_dir, choice.incident, options); !limited) {
      return complain(kUnreachable, limited.error().text);
    }
  }
  api::Narrator narrator;
  const auto result = daemon::replay(options, [&](const engine::Record& record) {
    // Engine time began as wall time; the log does not keep both.
    const json::object line = api::line_json(narrator.tell(record, record.at.time_since_epoch()));
    if (!context.json && text_at(line, "text", "").empty()) return;
    std::puts((context.json ? json::serialize(line) : show_line(line, context.color())).c_str());
  });
  if (!result) return complain(kUnreachable, result.error().text);
  fmt::print(stderr, "replayed {} inputs of {} segments, {} records; {} segments proved bit for bit by the next{}\n",
             result->inputs, result->segments, result->records, result->proved,
             result->other_build == 0 ? "" : "; written by another build: what it would do now, not what it did");
  return kOk;
}

}  // namespace

void add_replay_verbs(CLI::App& app, Context& context) {
  const auto choice = std::make_shared<ReplayChoice>();
  CLI::App* verb =
      add_verb(app, context, "replay", "Decide again from the logged inputs, to see what was decided and why",
               "homeostat replay --incident 7 --with candidate.yaml",
               [&context, choice] { return run_replay(context, *choice); });
  verb->add_option("--incident", choice->incident, "Only the time of this incident");
  verb->add_option("--with", choice->with, "Another configuration: what would it have done?");
}

}  // namespace homeostat::cli
