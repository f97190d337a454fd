// Reading a scenario: a pure function of its text.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "scenario/scenario.hpp"

namespace homeostat::scenario {

inline constexpr std::size_t kMaxBytes = std::size_t{256} << 10;
inline constexpr std::size_t kMaxLine = 1'000;
inline constexpr std::size_t kMaxEvents = 10'000;  // `every` counted each time
inline constexpr std::size_t kMaxExpectations = 2'000;
inline constexpr std::size_t kMaxConfigs = 16;
inline constexpr Duration kLongest = std::chrono::hours(24 * 30);

/// `file` stands in messages. The configurations are not looked at yet: `prepare` does that.
std::expected<Scenario, Problem> read_scenario(std::string_view text, const std::string& file);

}  // namespace homeostat::scenario
