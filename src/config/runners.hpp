// Programs that run what stands among their arguments: as a program, or as code.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace homeostat::config {

struct Runner {
  enum class Runs : std::uint8_t { nothing, program, code, shell_code };
  Runs what = Runs::nothing;
  std::string_view name{};  // "docker exec"
};

/// What would become of the argument `at` (not 0) of a command. A table cannot know all programs: one that is not in it
/// is taken for one that only reads its arguments.
Runner runner_of(const std::vector<std::string>& argv, std::size_t at);

}  // namespace homeostat::config
