// What reading a configuration carries along: where problems go, and what relative paths start from.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/node.hpp"
#include "config/problem.hpp"
#include "homeostat/health.hpp"

namespace homeostat::config {

class Reader {
 public:
  /// More problems than this are not worth reading.
  static constexpr std::size_t kMostProblems = 100;

  Reader(std::string file, std::vector<Problem>& problems);

  void problem(Position at, const std::string& text, const std::string& hint = {});

  /// `path` from the root: a relative one starts at the folder of the configuration file.
  std::string absolute(std::string_view path) const;
  const std::string& folder() const { return folder_; }
  std::size_t found() const { return problems_.size(); }

  /// A text that must never be repeated, whoever says it.
  void keep_secret(std::string_view text) { secrets_.emplace_back(text); }
  std::vector<std::string> take_secrets() { return std::move(secrets_); }

  /// The checks' timing where a check says nothing of its own; read before the checks are.
  CheckPolicy timing;

 private:
  std::string file_;
  std::string folder_;
  std::vector<Problem>& problems_;
  std::vector<std::string> secrets_;
};

/// A default of a field table as a tree. A default that is no YAML is a defect of this program.
Node parse_default(std::string_view text);

}  // namespace homeostat::config
