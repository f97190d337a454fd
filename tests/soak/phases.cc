#include "phases.hpp"

#include "lab.hpp"

namespace homeostat::soak {

void Phases::take(const journal::Entry& record) {
  if (record.type != "intent" && record.type != "outcome" && record.type != "verified") return;
  const lab::json::value told = lab::json::parse(record.payload);
  const std::string action = lab::text_at(told, "id.epoch") + "." + lab::text_at(told, "id.counter");
  if (record.type == "intent") {
    under_way_[action] = false;
  } else if (record.type == "outcome" && lab::text_at(told, "outcome") == "succeeded") {
    under_way_[action] = true;
  } else {
    under_way_.erase(action);
  }
}

void Phases::killed(PhaseCounts& counts, const std::function<bool(const std::string&)>& carried_out) const {
  if (under_way_.empty()) ++counts["no action was under way"];
  for (const auto& [action, recorded] : under_way_) {
    if (recorded) {
      ++counts["the outcome was recorded, not yet verified"];
    } else {
      ++counts[carried_out(action) ? "it was carried out, the outcome not yet recorded"
                                   : "it was intended, not yet carried out"];
    }
  }
}

}  // namespace homeostat::soak
