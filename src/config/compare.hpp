// What differs between two configurations, in words for the operator and in flags for a reload.
#pragma once

#include <string>
#include <vector>

#include "config/config.hpp"

namespace homeostat::config {

struct ServiceChange {
  std::string name;
  bool command = false;           // what would be started: running instances are outdated
  std::vector<std::string> what;  // "command", "check alive: target", "instances 2 -> 3", …
};

struct Comparison {
  std::vector<std::string> added;
  std::vector<std::string> removed;
  std::vector<ServiceChange> changed;
  std::vector<std::string> other;  // outside the services: "notifiers", "guardrails", "breakers"
  std::size_t services_before = 0;

  bool empty() const { return added.empty() && removed.empty() && changed.empty() && other.empty(); }
  /// More than 30 % of the services would be lost: rather a wrong file than a wish.
  bool needs_accept() const { return removed.size() * 100 > services_before * 30; }
};

Comparison compare(const Config& before, const Config& after);

}  // namespace homeostat::config
