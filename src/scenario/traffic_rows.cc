// A proxy that leads requests to instances: what it can do, and who gets how many.
#include <fmt/format.h>

#include "scenario/language.hpp"

namespace homeostat::scenario {
namespace {

std::string fail(Stage& stage, const Captures& c) {
  const PlaceName place = c.place();
  for (const engine::Slot slot : stage.slots(place.service, place.slot)) {
    stage.world.errs(place.service, slot, c.count("count"));
  }
  return {};
}

std::string proxy(Stage& stage, const Captures& c) {
  using Proxying = sim::World::Proxying;
  if (c.text("how") == "forgets") stage.world.proxy_reloaded();
  if (c.text("how") == "goes") stage.world.proxy(Proxying::gone);
  if (c.text("how") == "refuses") stage.world.proxy(Proxying::refuses);
  if (c.text("how") == "returns") stage.world.proxy(Proxying::well);
  return {};
}

std::string keep(Stage& stage, const Captures& c) {
  const PlaceName place = c.place();
  for (const engine::Slot slot : stage.slots(place.service, place.slot)) {
    stage.world.proxy_keeps(place.service, slot, c.text("where") == "in");
  }
  return {};
}

Seen share(const Stage& stage, const Captures& c) {
  const PlaceName place = c.place();
  std::uint32_t hundredths = 0;
  for (const engine::Slot slot : stage.slots(place.service, place.slot)) {
    hundredths += stage.world.share(place.service, slot);
  }
  const std::uint32_t percent = (hundredths + 50) / 100;
  return {percent == c.count("count"), fmt::format("it gets {} %", percent)};
}

}  // namespace

std::vector<EventRow> traffic_events() {
  return {
      {Pattern("<place> fails <count> percent of its requests"),
       "Of the 1,000 a second that the proxy leads to the service; its checks see nothing of it.", fail},
      {Pattern("proxy <how:goes|refuses|returns|forgets>"),
       "It does not answer; takes no orders; does as it is told again; is reloaded, and its weights are as in its "
       "file.",
       proxy},
      {Pattern("proxy keeps <place> <where:out|in>"), "Somebody has put its server in maintenance, or ends that.",
       keep},
  };
}

StateRow traffic_state() {
  return {Pattern("<place> gets <count> percent of the requests"),
          "As the proxy divides them, rounded to a whole number.", share};
}

}  // namespace homeostat::scenario
