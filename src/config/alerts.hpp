// Where an Alertmanager posts its alerts, as read.
#pragma once

#include <optional>
#include <string>

#include "config/types.hpp"

namespace homeostat::config {

struct AlertsSpec {
  std::string address{};
  std::uint16_t port = 0;
  std::vector<std::string> authorizations{};  // values of the header that are let in; empty: everybody is
  Duration repeat{};
  friend bool operator==(const AlertsSpec&, const AlertsSpec&) = default;
};

struct AlertsDraft {
  std::string listen, user;
  SecretText token, password;
  Duration repeat{};
};

const Table<AlertsDraft>& alerts_table();
/// Reports what is not usable.
std::optional<AlertsSpec> take_alerts(const AlertsDraft& draft, const Node& node, Reader& reader);

}  // namespace homeostat::config
