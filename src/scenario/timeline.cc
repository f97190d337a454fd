#include "scenario/timeline.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "api/json.hpp"
#include "api/narrator.hpp"

namespace homeostat::scenario {
namespace {

constexpr std::size_t kBefore = 12;
constexpr std::size_t kAfter = 6;

}  // namespace

std::string show_time(Duration since_start) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(since_start).count();
  if (ms < 60'000) return fmt::format("{}.{:03}s", ms / 1000, ms % 1000);
  if (ms < 3'600'000) return fmt::format("{}m{:02}.{:03}s", ms / 60'000, ms / 1000 % 60, ms % 1000);
  return fmt::format("{}h{:02}m{:02}.{:03}s", ms / 3'600'000, ms / 60'000 % 60, ms / 1000 % 60, ms % 1000);
}

std::string describe(const Stage& stage, const Moment& moment) {
  if (const auto* effect = std::get_if<sim::Effect>(&moment.what)) {
    return fmt::format("{} of {} was done", name_of(effect->op), api::place_name(effect->service, effect->slot));
  }
  if (const auto* look = std::get_if<Looked>(&moment.what)) {
    return fmt::format("check {} of {} ran", look->check, api::place_name(look->service, look->slot));
  }
  if (std::holds_alternative<SelfChecking>(moment.what)) return "Homeostat looked at its own network";
  if (const auto* told = std::get_if<Told>(&moment.what)) return "- " + told->text;
  const auto* record = std::get_if<engine::Record>(&moment.what);
  if (record == nullptr) return "a notifier was started";
  api::Narrator narrator;  // an outcome names its action only by its id
  for (const Moment& before : stage.moments()) {
    const auto* one = std::get_if<engine::Record>(&before.what);
    if (one != nullptr && one->seq < record->seq) narrator.tell(*one, stage.since_start(one->at));
  }
  return narrator.tell(*record, stage.since_start(record->at)).text;
}

std::vector<TimelineLine> timeline(const Stage& stage) {
  std::vector<TimelineLine> story;
  api::Narrator narrator;
  for (const Moment& moment : stage.moments()) {
    const Duration at = stage.since_start(moment.at);
    const auto* record = std::get_if<engine::Record>(&moment.what);
    if (record == nullptr) {
      if (std::holds_alternative<Told>(moment.what)) {
        story.push_back({at, fmt::format("{:>12}  {}", show_time(at), describe(stage, moment))});
      }
      continue;
    }
    const api::Line line = narrator.tell(*record, at);
    if (!line.detail) story.push_back({at, fmt::format("{:>12}  {}", show_time(at), line.text)});
  }
  return story;
}

std::vector<std::string> around(const std::vector<TimelineLine>& story, Duration when) {
  const auto after = std::ranges::upper_bound(story, when, {}, &TimelineLine::at);
  const auto index = static_cast<std::size_t>(after - story.begin());
  const std::size_t from = index > kBefore ? index - kBefore : 0;
  const std::size_t to = std::min(story.size(), index + kAfter);
  std::vector<std::string> lines;
  for (std::size_t i = from; i < to; ++i) lines.push_back(story[i].text);
  return lines;
}

}  // namespace homeostat::scenario
