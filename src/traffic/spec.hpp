// What leads requests to the instances of a service, as configured.
#pragma once

#include <string>

#include "homeostat/time.hpp"

namespace homeostat::traffic {

/// Where the backend of one service is.
struct HaproxyPlace {
  std::string socket;   // path of the stats socket, level admin
  std::string backend;  // its name in HAProxy's configuration
  friend bool operator==(const HaproxyPlace&, const HaproxyPlace&) = default;
};

struct Spec {
  HaproxyPlace haproxy;
  /// The name of an instance's server there; {port} {instance} {service} are filled in.
  std::string server = "{service}-{instance}";
  /// So long an instance that is to be stopped may take for the requests it has.
  Duration drain = std::chrono::seconds(10);
  friend bool operator==(const Spec&, const Spec&) = default;
};

}  // namespace homeostat::traffic
