// Inputs as bytes, for the input log, and back.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/input.hpp"

namespace homeostat::engine {

struct TimedInput {
  Instant at{};
  Input input;
};

std::string encode_input(const Input& input, Instant at);
/// Nothing when the bytes are not one input of this build.
std::optional<TimedInput> decode_input(std::string_view bytes);

}  // namespace homeostat::engine
