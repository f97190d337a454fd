// What docker and podman tell of the lives of containers, one line of JSON an event.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/container_state.hpp"

namespace homeostat::runtime {

struct ContainerEvent {
  std::string action{};  // start, die, stop …
  std::string id{};
  std::string name{};
  int signal = 0;        // kill: by docker only
  std::uint64_t at = 0;  // nanoseconds since 1970
};

/// Nothing: it is not about a container, or nothing that can be read.
std::optional<ContainerEvent> read_event(std::string_view line);

/// Nothing that happens within the container (commands that are run in it, checks) changes how it is.
bool matters(const ContainerEvent& event);

/// What the events of a run that has ended say about its end.
struct EndStory {
  bool told = false;     // somebody had it stopped or killed
  bool begun = false;    // they begin with its start: nothing of it is missing
  bool cleaned = false;  // podman: what it left behind was cleared away, the last thing that is done
  bool again = false;    // podman: it is about to be started again
  Duration clearing{};   // podman: from its end until it was cleared away first
};
/// `events`: of that container since the run began, a line each.
EndStory read_end(std::string_view events, std::uint64_t ended_at, bool podman);

}  // namespace homeostat::runtime
