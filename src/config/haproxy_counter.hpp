// What HAProxy counts, and where: shared by checks and metrics.
#pragma once

#include <string>
#include <string_view>

#include "config/resolve_parts.hpp"

namespace homeostat::config {

/// A field of HAProxy's statistics, as it calls it; or only one of those that it counts up.
Type<std::string> haproxy_field_type();
Type<std::string> haproxy_counter_type();
bool only_grows(std::string_view field);

/// Where it is counted.
struct HaproxyAt {
  traffic::HaproxyPlace place;
  std::string server;
};
const Table<HaproxyAt>& haproxy_at_table();

/// Fills in what the service's `traffic` says where nothing else was said at `node`, also the server of an instance
/// where such a one is meant.
void complete_haproxy(const Resolution& in, const Named<ServiceDraft>& service, const Node& node,
                      traffic::HaproxyPlace& place, std::string* server);

}  // namespace homeostat::config
