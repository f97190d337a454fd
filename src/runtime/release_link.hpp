// The version of a service as a symbolic link to the folder of its release.
#pragma once

#include <expected>
#include <string>

#include "core/error.hpp"

namespace homeostat::runtime {

/// Which version the link stands for; empty: none of `releases`, or there is no link.
std::string linked_version(const std::string& link, const std::string& releases);
/// Whether there is one; else what is wrong.
std::expected<void, Error> find_release(const std::string& releases, const std::string& version);
/// Whoever follows the link finds the one version or the other, at any time.
std::expected<void, Error> link_version(const std::string& link, const std::string& releases,
                                        const std::string& version);

}  // namespace homeostat::runtime
