// Decisions of the Kubernetes HorizontalPodAutoscaler (tests/vectors/hpa.json), stage by stage.
#pragma once

#include "format.hpp"

namespace conformance {

bool recognises_hpa(const json::object& file);
std::vector<Case> run_hpa(const json::object& file);

}  // namespace conformance
