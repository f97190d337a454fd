// Pins: small files that keep the input log's segments of a time range, one for each incident.
#pragma once

#include <expected>
#include <filesystem>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "homeostat/time.hpp"

namespace homeostat::journal {

struct Pin {
  std::string name;
  Instant from{};
  Instant to{};

  friend bool operator==(const Pin&, const Pin&) = default;
};

/// Letters, digits, '.', '_', '-'; 1 to 100 of them, no '.' in front: it becomes a file's name.
bool is_pin_name(const std::string& name);
/// Those that can be read, by start of their range; what is not a pin is left alone.
std::vector<Pin> load_pins(const std::filesystem::path& dir);
std::expected<void, Error> save_pin(const std::filesystem::path& dir, const Pin& pin);
void remove_pin(const std::filesystem::path& dir, const std::string& name);

}  // namespace homeostat::journal
