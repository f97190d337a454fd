// Whom to ask over HTTP and how: what http checks and the sources of metrics have in common.
#pragma once

#include <optional>
#include <string>

#include "config/types.hpp"
#include "probe/spec.hpp"

namespace homeostat::config {

struct HttpTls {
  std::string ca_file;
  std::string server_name;
};

struct HttpAccess {
  Pairs headers;
  std::optional<HttpTls> tls;
};

struct HttpTarget {
  std::string url, path, host, port;
  HttpAccess access;
};

const Table<HttpAccess>& http_access_table();
const Table<HttpTarget>& http_target_table();
const Section& http_tls_section();

void take_access(const HttpAccess& access, probe::HttpSpec& out);
/// Reports what is not usable. `node` is the map that holds the keys.
void take_target(const HttpTarget& target, const Node& node, Reader& reader, probe::HttpSpec& out);

}  // namespace homeostat::config
