#include "runtime/container_events.hpp"

#include <algorithm>
#include <array>
#include <csignal>

#include "runtime/json_at.hpp"

namespace homeostat::runtime {
namespace {

// A signal that nothing came of within that time was for something else (to read the configuration anew).
constexpr std::uint64_t kDiesWithin = 15'000'000'000;

/// podman does not say which one it was.
bool may_end_it(int signal) {
  constexpr std::array kEnding{0, SIGTERM, SIGKILL, SIGINT, SIGQUIT};
  return std::ranges::find(kEnding, signal) != kEnding.end();
}

}  // namespace

std::optional<ContainerEvent> read_event(std::string_view line) {
  const auto all = read_object(line);
  if (!all || text_at(*all, "Type") != "container") return std::nullopt;
  const auto& actor = object_at(*all, "Actor");
  const auto& attributes = object_at(actor, "Attributes");
  ContainerEvent event{.action = text_at(*all, "Action"), .id = text_at(actor, "ID")};
  event.name = text_at(attributes, "name");
  event.at = static_cast<std::uint64_t>(std::max<std::int64_t>(number_at(*all, "timeNano"), 0));
  const std::string signal = text_at(attributes, "signal");
  event.signal = signal.empty() ? 0 : std::atoi(signal.c_str());
  return event;
}

bool matters(const ContainerEvent& event) {
  constexpr std::array<std::string_view, 6> kWithin{"exec", "attach", "top", "copy", "archive", "export"};
  return std::ranges::none_of(kWithin, [&](std::string_view one) { return event.action.starts_with(one); });
}

// podman: whoever stops a container clears up after it, and so does what watches over every container; `stop` itself
// is told only if the first of them comes before the second.
EndStory read_end(std::string_view events, std::uint64_t ended_at, bool podman) {
  EndStory story;
  bool died = false;
  while (!events.empty()) {
    const std::string_view line = events.substr(0, events.find('\n'));
    events.remove_prefix(std::min(events.size(), line.size() + 1));
    const auto event = read_event(line);
    if (!event) continue;
    if (event->action == "start") {
      story = {.begun = true};
      died = false;
    } else if (event->action == "kill" && may_end_it(event->signal)) {
      story.told = story.told || ended_at < event->at + kDiesWithin;
    } else if (event->action == "stop") {
      story.told = true;
    } else if (event->action == "restart") {
      story.again = podman;
    } else if (event->action == "die") {
      died = true;
    } else if (event->action == "cleanup" && died) {
      story.told = story.told || story.cleaned;
      if (!story.cleaned) story.clearing = Duration(event->at > ended_at ? event->at - ended_at : 0);
      story.cleaned = true;
    }
  }
  return story;
}

}  // namespace homeostat::runtime
