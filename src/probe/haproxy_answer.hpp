// Numbers out of HAProxy's statistics.
#pragma once

#include <span>

#include "probe/source.hpp"
#include "traffic/haproxy_text.hpp"

namespace homeostat::probe {

/// `lines` hold the columns of `source`. Of servers a number each under its name, as far as HAProxy tells one.
Reading read_haproxy(const HaproxySource& source, std::span<const traffic::StatLine> lines);

}  // namespace homeostat::probe
