// What runtimes with releases have in common.
#pragma once

#include <string>

#include "config/types.hpp"
#include "runtime/spec.hpp"

namespace homeostat::config {

/// The name of a release.
Type<std::string> version_type();

/// Where the releases of a service lie; empty: that is not known.
std::string releases_of(const runtime::Spec& spec);

/// The folder of the releases and the version to begin with: both or none.
void check_releases(const std::string& releases, const std::string& release, const Node& node, Reader& reader);

}  // namespace homeostat::config
