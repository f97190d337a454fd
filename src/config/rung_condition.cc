// When a rung may be used: a condition in words.
#include <fmt/format.h>

#include <csignal>
#include <cstring>

#include "config/rung.hpp"

namespace homeostat::config {
namespace {

constexpr std::string_view kChanged = "changed_within ";
constexpr std::string_view kFailing = "instances_failing > ";
constexpr std::string_view kSignal = "signal ";
constexpr std::string_view kEjected = "requests_fail";
constexpr int kLastSignal = 31;

/// `SEGV` or `SIGSEGV`; 0: there is none of that name.
int signal_named(std::string_view name) {
  if (name == "oom") return SIGKILL;
  if (name.starts_with("SIG")) name.remove_prefix(3);
  for (int number = 1; number <= kLastSignal; ++number) {
    const char* known = ::sigabbrev_np(number);
    if (known != nullptr && name == known) return number;
  }
  return 0;
}

bool read(std::string_view text, engine::Condition& out) {
  if (text.starts_with(kChanged)) {
    const auto span = parse_duration(text.substr(kChanged.size()));
    out.changed_within = span.value_or(Duration{});
    return out.changed_within > Duration{};
  }
  if (text.starts_with(kFailing)) {
    const auto percent = parse_percent(text.substr(kFailing.size()));
    if (!percent || *percent >= 100) return false;
    out.failing_above = *percent;
    return true;
  }
  if (text == kEjected) return out.ejected = true;
  if (!text.starts_with(kSignal)) return false;
  out.killed_by = signal_named(text.substr(kSignal.size()));
  return out.killed_by != 0;
}

}  // namespace

Type<engine::Condition> condition_type() {
  return {{"condition", R"({"type":"string","pattern":"^(changed_within +[0-9a-z]+|instances_failing > [0-9]+%|)"
                        R"(signal [A-Za-z]+|requests_fail)$"})"},
          [](const Node& node, Reader& reader, engine::Condition& out) {
            if (node.is_scalar() && read(node.text, out)) return;
            reader.problem(node.at, fmt::format("{} is no condition (write `changed_within 15m`, `instances_failing > "
                                                "50%`, `signal SEGV`, or `requests_fail`)",
                                                quote(node.text)));
          }};
}

}  // namespace homeostat::config
