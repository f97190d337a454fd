// Decisions of Knative's pod autoscaler (tests/vectors/kpa.json), step by step.
#pragma once

#include "format.hpp"

namespace conformance {

bool recognises_kpa(const json::object& file);
std::vector<Case> run_kpa(const json::object& file);

}  // namespace conformance
