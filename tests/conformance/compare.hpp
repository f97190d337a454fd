// Whether an answer holds what a case expects.
#pragma once

#include <boost/json.hpp>
#include <string>

namespace conformance {

namespace json = boost::json;

/// Nothing, or the first thing of `expect` that `got` does not hold. What `expect` does not name may be anything.
inline std::string differs(const json::object& expect, const json::object& got) {
  for (const auto& [key, wanted] : expect) {
    const json::value* found = got.if_contains(key);
    if (found == nullptr) return "expected " + std::string(key) + ", which is not told";
    if (wanted.is_object() && found->is_object()) {
      std::string fault = differs(wanted.as_object(), found->as_object());
      if (!fault.empty()) return std::string(key) + ": " + fault;
    } else if (*found != wanted) {
      return std::string(key) + " is " + json::serialize(*found) + ", not " + json::serialize(wanted);
    }
  }
  return {};
}

}  // namespace conformance
