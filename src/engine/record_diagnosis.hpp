// What the diagnosis found out about a failing service, and changes that people tell of.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace homeostat::engine {

/// Which part a failing service has among all that fail; again whenever that changes.
struct Diagnosed {
  static constexpr std::string_view kType = "diagnosed";
  static constexpr bool kCritical = false;
  std::uint64_t incident = 0;
  std::string service;
  std::string role;           // root, excused, look, waits, abstains, tried
  std::string by;             // the service that explains it; empty: none
  std::string root;           // … and the end of that walk; itself where nothing explains it
  std::uint64_t part_of = 0;  // the root's incident, when that is another one
  std::int32_t score = 0;     // hundredths of a power of ten ahead of any other explanation
  std::string reason;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("incident", self.incident);
    v("service", self.service);
    v("role", self.role);
    v("by", self.by);
    v("root", self.root);
    v("part_of", self.part_of);
    v("score", self.score);
    v("reason", self.reason);
  };
};

/// Somebody has changed a service by other means: a deployment done elsewhere, another configuration of it.
struct ChangeNoted {
  static constexpr std::string_view kType = "changed";
  static constexpr bool kCritical = true;
  std::string service;
  std::string version;
  std::string by;
  static constexpr auto fields = [](auto& self, auto& v) {
    v("service", self.service);
    v("version", self.version);
    v("by", self.by);
  };
};

}  // namespace homeostat::engine
