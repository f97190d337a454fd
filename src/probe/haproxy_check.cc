#include "probe/haproxy_check.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "probe/fill.hpp"

namespace homeostat::probe {
namespace {

Finding unknown(Duration latency, std::string_view why) {
  return {Observation{Result::unknown, Reason::internal, 0, latency}, for_people(why)};
}

}  // namespace

HaproxyCheck::HaproxyCheck(const HaproxySpec& spec, const Place& place) : spec_(spec) {
  spec_.server = fill(spec_.server, place);
}

SourceSpec HaproxyCheck::source(Duration timeout) const {
  SourceSpec out;
  out.from = HaproxySource{spec_.place, {spec_.field}, !spec_.server.empty()};
  out.timeout = timeout;
  return out;
}

Finding HaproxyCheck::judge(const Reading& reading, Duration latency, Instant now) {
  if (!reading) return unknown(latency, reading.error().why);
  const auto own = std::ranges::find(*reading, spec_.server, &Told::key);
  if (own == reading->end()) {
    return unknown(latency, fmt::format("HAProxy tells no {} of {} in {}", spec_.field,
                                        spec_.server.empty() ? "the backend" : spec_.server, spec_.place.backend));
  }
  std::int64_t value = own->value;
  if (spec_.grows) {
    const Reading rate = rates_.of(0, {*own}, now);
    if (!rate) return unknown(latency, rate.error().why);
    value = rate->front().value;
  }
  if (spec_.expect.holds(value)) return {Observation{Result::success, Reason::none, 0, latency}, {}};
  return {Observation{Result::failure, Reason::reported, 0, latency},
          for_people(fmt::format("{} is {}{}, not {}", spec_.field, show_number(value), spec_.grows ? " a second" : "",
                                 to_text(spec_.expect)))};
}

bool HaproxyCheck::asks_the_same(const HaproxyCheck& other) const { return spec_ == other.spec_; }

}  // namespace homeostat::probe
