#include "journal/report.hpp"

#include <fmt/format.h>

namespace homeostat::journal {
namespace {

std::string_view word(Trust trust) {
  switch (trust) {
    case Trust::ok:
      return "ok";
    case Trust::untrusted:
      return "untrusted";
    case Trust::newer:
      return "not readable by this build";
    case Trust::failed:
      return "could not be read";
  }
  return "?";
}

std::string range(std::uint64_t from, std::uint64_t to) {
  return to < from ? "none" : fmt::format("{} ({} to {})", to - from + 1, from, to);
}

std::string anchor_line(const AnchorReading& reading) {
  if (!reading.exists) return "missing";
  if (!reading.newest) return "unreadable (both slots)";
  std::string text = fmt::format("record {} acknowledged, epoch {}", reading.newest->seq, reading.newest->epoch);
  if (reading.bad_slots != 0) text += ", one slot unreadable";
  return text;
}

}  // namespace

std::string report(const Health& health) {
  std::string text =
      fmt::format("journal: {}{}{}\n", word(health.trust), health.reason.empty() ? "" : ": ", health.reason);
  if (health.fresh) return text + "records: none yet\n";
  text += fmt::format("records: {}\n", range(health.start_seq + 1, health.last_seq));
  if (health.start_seq != 0) text += fmt::format("compacted: up to {}\n", health.start_seq);
  if (health.last_fold != 0) text += fmt::format("last fold: {}\n", health.last_fold);
  if (health.entries != 0) text += fmt::format("last hash: {}\n", hex(health.last_hash));
  text += fmt::format("anchor: {}\n", anchor_line(health.anchor));
  if (health.first_bad != 0) text += fmt::format("first bad: {}\n", health.first_bad);
  if (health.trust == Trust::untrusted) {
    text += "Homeostat only observes until this is accepted: stop it, then run `homeostat journal accept`.\n";
  }
  return text;
}

std::string report(const Accepted& accepted) {
  std::string text = fmt::format("accepted: {}\n", accepted.reason);
  text += fmt::format("kept: {}\n", range(accepted.kept_from, accepted.kept_to));
  if (accepted.acknowledged > accepted.kept_to) {
    text += fmt::format("lost: {}\n", range(accepted.kept_to + 1, accepted.acknowledged));
  }
  text += fmt::format("recorded as: {}\n", accepted.seq);
  return text + fmt::format("damaged files: {}\n", accepted.aside.string());
}

}  // namespace homeostat::journal
