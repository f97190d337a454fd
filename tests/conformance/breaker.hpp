// Traces of circuit breakers (tests/vectors/breaker.json): every step's answer is compared.
#pragma once

#include "format.hpp"

namespace conformance {

bool recognises_breaker(const json::object& file);
std::vector<Case> run_breaker(const json::object& file);

}  // namespace conformance
