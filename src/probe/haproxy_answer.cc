#include "probe/haproxy_answer.hpp"

#include <fmt/core.h>

#include <set>

#include "core/text.hpp"

namespace homeostat::probe {
namespace {

std::string called(const traffic::StatLine& line) {
  return line.server.empty() ? "the backend" : "server " + printable(line.server, 80);
}

}  // namespace

Reading read_haproxy(const HaproxySource& source, std::span<const traffic::StatLine> lines) {
  std::vector<Told> all;
  std::set<std::string_view> seen;
  for (const traffic::StatLine& line : lines) {
    if (line.server.empty() == source.of_servers) continue;
    if (!seen.insert(line.server).second) return refuse(MetricFault::not_a_number, called(line) + " is there twice");
    for (std::size_t i = 0; i < line.values.size(); ++i) {
      if (line.values[i].empty()) continue;  // HAProxy does not count it here
      const auto value = read_number(line.values[i]);
      if (!value) return refuse(value.error().fault, fmt::format("{}: {}", called(line), value.error().why));
      all.push_back({*value, line.server});
    }
  }
  const std::string what = source.of_servers ? "any server" : "the backend";
  const bool enough = source.of_servers ? !all.empty() : all.size() == source.columns.size();
  if (!enough)
    return refuse(MetricFault::absent,
                  fmt::format("HAProxy does not count it for {} of {}", what, source.place.backend));
  return all;
}

}  // namespace homeostat::probe
