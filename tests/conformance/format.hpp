// What the conformance program knows about one format of test vectors. A new format is one more entry in formats().
#pragma once

#include <boost/json.hpp>
#include <string>
#include <vector>

namespace conformance {

namespace json = boost::json;

/// One case of a file. `fault` is empty when it was reproduced; else it says where and how it differs.
struct Case {
  std::string name;
  std::string fault;
  std::string note;  // something to print in any case
};

struct Format {
  std::string name;
  /// True when this file, by what is in it, is of this format.
  bool (*recognises)(const json::object& file);
  /// Every case of the file, also those that cannot be run (they are failed).
  std::vector<Case> (*run)(const json::object& file);
};

const std::vector<Format>& formats();

}  // namespace conformance
