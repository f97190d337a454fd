// Whether proxies have a server for each place of the services whose requests they lead.
#pragma once

#include <vector>

#include "config/config.hpp"

namespace homeostat::cli {

struct CountedServers {
  std::vector<config::Problem> problems;
  std::vector<config::Problem> warnings;  // proxies that do not say what they have
};
/// Asks them one after the other; a socket that does not answer takes two seconds.
CountedServers count_servers(const config::Config& config);

}  // namespace homeostat::cli
