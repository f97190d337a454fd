// What docker and podman say of one container, and what it means.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runtime/keeper.hpp"

namespace homeostat::runtime {

struct ContainerState {
  std::string id{};
  std::string image{};        // as it was named when the container was made
  std::string image_id{};     // which one that was
  std::string status{};       // created, running, exited …
  std::uint64_t started = 0;  // nanoseconds since 1970; 0: never
  std::uint64_t finished = 0;
  std::int32_t exit_status = 0;  // 128 + the signal's number, if it was killed
  bool out_of_memory = false;
  std::string error{};         // why it could not be started
  std::string health{};        // starting, healthy, unhealthy; empty: it has no check of its own
  Duration health_every{};     // how often that check is to be run
  Duration stop_within{};      // so long it has to end when it is told to
  std::uint32_t restarts = 0;  // by its restart policy
  bool comes_back = false;     // its restart policy would start it again after the end that is told here

  bool runs() const { return status == "running"; }
  bool rests() const { return status == "exited" || status == "stopped" || status == "created" || status == "dead"; }
  /// The run that is there, or was last.
  Incarnation run() const;
};

/// Nothing: that is no container.
std::optional<ContainerState> read_container(std::string_view answer);

/// The id of the container that was made; empty: that is no such answer.
std::string made_container(std::string_view answer);

/// Nanoseconds since 1970 of a time such as 2026-01-31T12:00:00.5+01:00; 0: that is none, or before.
std::uint64_t read_time(std::string_view text);

/// Who had a run end.
enum class EndedBy : std::uint8_t {
  itself,
  others,    // a person, by `podman stop`, for one
  undecided  // not told yet: it may be about to be started again
};

Sight sight_of(const ContainerState& state, EndedBy ended_by);

}  // namespace homeostat::runtime
