// The settings of a container as those of another one.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "core/error.hpp"

namespace homeostat::runtime {

/// What to make one with the settings of the container that `inspected` tells of, but of `image`. What the container
/// only has because of its own image (`own_image`: what is told of that; empty: it is not there any more) is left to
/// the new one. `instance`: becomes its variable HOMEOSTAT_INSTANCE; below 0: it is the same instance.
std::expected<std::string, Error> copy_settings(std::string_view inspected, std::string_view own_image,
                                                const std::string& image, int instance);

/// Why one that podman tells of in its own words (`own_words`; empty: in none) cannot be made anew over the API that
/// docker has, too: something of it would be lost. Empty: it can.
std::string lost_in_a_copy(std::string_view own_words);

}  // namespace homeostat::runtime
