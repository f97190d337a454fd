// The version of a service as a symbolic link to the folder of its release.
#pragma once

#include <expected>
#include <optional>
#include <string>

#include "core/error.hpp"
#include "homeostat/incarnation.hpp"

namespace homeostat::runtime {

/// Which version the link stands for; empty: none of `releases`, or there is no link.
std::string linked_version(const std::string& link, const std::string& releases);
/// Whether there is one; else what is wrong.
std::expected<void, Error> find_release(const std::string& releases, const std::string& version);
/// Writes down beside the link which version `run` has, before the link is set to another one: what runs stays what it
/// was until it is restarted, over the end of Homeostat, too.
std::expected<void, Error> note_run(const std::string& link, const std::string& version, const Incarnation& run);
void forget_run(const std::string& link);
/// Which version that is; nothing: none was written down for that run.
std::optional<std::string> noted_version(const std::string& link, const Incarnation& run);
/// Whoever follows the link finds the one version or the other, at any time.
std::expected<void, Error> link_version(const std::string& link, const std::string& releases,
                                        const std::string& version);

}  // namespace homeostat::runtime
