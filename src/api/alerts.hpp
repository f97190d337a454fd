// What an Alertmanager posts to its webhook, version 4.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/request.hpp"

namespace homeostat::api {

struct Alert {
  std::string fingerprint;
  bool firing = false;
  std::int64_t starts_ns = 0;  // since 1970
  std::int64_t ends_ns = 0;    // of one that is resolved
  std::map<std::string, std::string> labels;
  std::string summary;  // of its annotations; empty: none

  friend bool operator==(const Alert&, const Alert&) = default;
};

/// What is known of them.
struct AlertsSeen {
  struct One {
    std::string name;
    std::map<std::string, std::string> labels;
    std::int64_t heard_ns = 0;  // since 1970
  };
  std::size_t firing = 0;
  std::size_t unmatched = 0;  // of these, the ones that no check looks for
  std::vector<One> last;      // of these, the ones that were told last
};

/// The alerts of a body, or the refusal: what is malformed, has too many alerts, or labels that are too long.
std::expected<std::vector<Alert>, Response> parse_alerts(const std::string& body);

/// A moment as RFC 3339 writes it; nothing when it is none.
std::optional<std::int64_t> parse_moment(std::string_view text);

}  // namespace homeostat::api
