#include "daemon/replay.hpp"

#include <fmt/format.h>

#include "config/load.hpp"
#include "daemon/build_id.hpp"
#include "engine/input_codec.hpp"
#include "journal/input_reader.hpp"

namespace homeostat::daemon {
namespace {

std::expected<engine::Plan, Error> plan_of(const ReplayOptions& options, const std::string& text) {
  auto loaded =
      options.config.empty() ? config::load_text(text, "the configuration of the time") : config::load(options.config);
  if (loaded) return std::move(loaded->plan);
  return fail(config::render(loaded.error().front()));
}

struct Player {
  Player(const ReplayOptions& wanted, const std::function<void(const engine::Record&)>& tell)
      : options(wanted), on_record(tell) {}

  const ReplayOptions& options;
  const std::function<void(const engine::Record&)>& on_record;
  ReplayResult result;
  engine::Engine engine;
  bool ready = false;
  std::string problem;

  bool frame(std::string_view bytes) {
    const auto input = engine::decode_input(bytes);
    if (!input) {
      problem = fmt::format("input {} is not one of this build", result.inputs + 1);
      return false;
    }
    engine::Commands out;
    engine.step(input->input, input->at, out);
    ++result.inputs;
    for (const engine::Record& record : out.records) {
      if (record.at < options.from || record.at > options.to) continue;
      ++result.records;
      on_record(record);
    }
    return true;
  }

  /// The engine as the segment's head has it.
  std::expected<void, Error> begin(const journal::SegmentStart& start) {
    auto plan = plan_of(options, start.config);
    if (!plan) return std::unexpected(plan.error());
    if (start.build_id != build_id()) ++result.other_build;
    // The end of the segment before is the beginning of this one, unless a reload or a restart lies between.
    if (ready && engine.save() == start.snapshot) ++result.proved;
    if (!engine.load(start.snapshot, std::move(*plan)))
      return fail("its snapshot is not of this build or configuration");
    ready = true;
    return {};
  }
};

}  // namespace

std::expected<ReplayResult, Error> replay(const ReplayOptions& options,
                                          const std::function<void(const engine::Record&)>& on_record) {
  const auto segments = journal::list_segments(options.state_dir);
  if (segments.empty()) return fail(fmt::format("there is no input log in {}", options.state_dir));
  Player player(options, on_record);
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const bool over = i + 1 < segments.size() && segments[i + 1].at && *segments[i + 1].at < options.from;
    if (over || (segments[i].at && *segments[i].at > options.to)) continue;
    const auto head = journal::read_segment(segments[i].path, [](std::string_view) { return false; });
    if (!head) return fail(fmt::format("{}: {}", segments[i].path.string(), head.error().text));
    if (const auto begun = player.begin(head->start); !begun) {
      return fail(fmt::format("{}: {}", segments[i].path.string(), begun.error().text));
    }
    ++player.result.segments;
    (void)journal::read_segment(segments[i].path, [&](std::string_view frame) { return player.frame(frame); });
    if (!player.problem.empty()) return fail(fmt::format("{}: {}", segments[i].path.string(), player.problem));
  }
  return player.result;
}

}  // namespace homeostat::daemon
