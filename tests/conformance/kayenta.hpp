// Cases of Kayenta's canary judge (tests/vectors/kayenta.json): statistics, classifications, scores.
#pragma once

#include "format.hpp"

namespace conformance {

bool recognises_kayenta(const json::object& file);
std::vector<Case> run_kayenta(const json::object& file);

}  // namespace conformance
