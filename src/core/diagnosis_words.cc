// What was found out, in words.
#include "homeostat/diagnosis.hpp"

namespace homeostat::diagnosis {
namespace {

using Names = std::span<const std::string>;

std::string name(Names names, Node node) { return node < names.size() ? names[node] : "#" + std::to_string(node); }

std::string_view reason(Doubt doubt) {
  switch (doubt) {
    case Doubt::none:
      return "";
    case Doubt::small_margin:
      return "another explanation is nearly as good";
    case Doubt::unseen:
      return "what may be the cause cannot be looked at";
    case Doubt::untouchable:
      return "it is not ours to repair";
    case Doubt::circle:
      return "several depend on each other, and none stands out";
  }
  return "";
}

}  // namespace

std::string_view to_string(Tie tie) { return tie == Tie::hard ? "hard" : tie == Tie::soft ? "soft" : "runs_on"; }

std::string_view to_string(Sign sign) {
  switch (sign) {
    case Sign::healthy:
      return "healthy";
    case Sign::unknown:
      return "unknown";
    case Sign::symptom:
      return "symptom";
    case Sign::direct:
      return "direct";
  }
  return "?";
}

std::string_view to_string(Role role) {
  switch (role) {
    case Role::root:
      return "root";
    case Role::excused:
      return "excused";
    case Role::look:
      return "look";
    case Role::waits:
      return "waits";
    case Role::abstains:
      return "abstains";
    case Role::tried:
      return "tried";
  }
  return "?";
}

std::string_view to_string(Doubt doubt) {
  switch (doubt) {
    case Doubt::none:
      return "none";
    case Doubt::small_margin:
      return "small_margin";
    case Doubt::unseen:
      return "unseen";
    case Doubt::untouchable:
      return "untouchable";
    case Doubt::circle:
      return "circle";
  }
  return "?";
}

std::string explain(const Finding& finding, Names names) {
  switch (finding.role) {
    case Role::root:
      return "root, " + std::to_string(finding.score) + " points ahead of any other explanation";
    case Role::excused:
      return "excused by " + name(names, finding.by);
    case Role::look:
      return "has to be seen failing again first";
    case Role::waits:
      return "waits for the other root: an undeclared dependency may explain it";
    case Role::abstains:
      return "nothing is done: " + std::string(reason(finding.doubt));
    case Role::tried:
      return "was repaired already, and that did not help";
  }
  return "?";
}

std::string sentence(const Report& report, const Incident& incident, Names names) {
  std::string text;
  std::uint32_t excused = 0;
  for (const Finding& one : report.of(incident)) {
    if (one.role == Role::excused) {
      ++excused;
      continue;
    }
    text += text.empty() ? "" : "; ";
    text += name(names, one.node) + ": " + explain(one, names);
  }
  if (excused > 0) text += "; " + std::to_string(excused) + (excused == 1 ? " other is" : " others are") + " excused";
  return text;
}

}  // namespace homeostat::diagnosis
