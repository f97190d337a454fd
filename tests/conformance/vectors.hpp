// A file {"vectors": [{"id": …}, …]}: every vector is one case.
#pragma once

#include <exception>

#include "format.hpp"

namespace conformance {

/// `run` says what differs, or nothing.
inline std::vector<Case> run_vectors(const json::object& file, std::string (*run)(const json::object& vector)) {
  std::vector<Case> cases;
  for (const json::value& vector : file.at("vectors").as_array()) {
    Case one{"vector " + std::to_string(cases.size() + 1), {}, {}};
    try {
      one.name = vector.at("id").as_string();
      one.fault = run(vector.as_object());
    } catch (const std::exception& wrong) {  // how the JSON library says that something is not there
      one.fault = wrong.what();
    }
    cases.push_back(std::move(one));
  }
  return cases;
}

}  // namespace conformance
