// Which Prometheus is asked for what: what promql checks and the sources of metrics have in common.
#pragma once

#include <string>

#include "config/http_target.hpp"

namespace homeostat::config {

struct PromqlTarget {
  std::string url, query;
  HttpAccess access;
};

const Table<PromqlTarget>& promql_target_table();

/// Reports what no Prometheus would understand: of its language only what opens and closes is looked at. `node` is the
/// map that holds the key.
void check_query(std::string_view query, const Node& node, std::string_view key, Reader& reader);

/// Reports what is not usable. `node` is the map that holds the keys; the path is that of the Prometheus, without the
/// query.
void take_target(const PromqlTarget& target, const Node& node, Reader& reader, probe::HttpSpec& out);

/// Hashes what is asked for.
void add(Fingerprint& print, const PromqlTarget& target, const probe::HttpSpec& spec);

}  // namespace homeostat::config
