#include "probe/judge.hpp"

#include <fmt/core.h>
#include <re2/re2.h>

#include <algorithm>

#include "core/text.hpp"

namespace homeostat::probe {
namespace {

constexpr std::size_t kShown = 256;

std::string list(const std::vector<StatusRange>& ranges) {
  std::string out;
  for (const StatusRange& range : ranges) {
    if (!out.empty()) out += ", ";
    out += range.first == range.last ? fmt::format("{}", range.first) : fmt::format("{}-{}", range.first, range.last);
  }
  return out;
}

bool has_status(const HttpSpec& spec, int status) {
  return std::ranges::any_of(
      spec.status, [status](const StatusRange& range) { return status >= range.first && status <= range.last; });
}

Finding failure(Reason reason, std::int32_t code, Duration latency, std::string detail) {
  return {{Result::failure, reason, code, latency}, for_people(detail)};
}

}  // namespace

std::string for_people(std::string_view text) {
  std::string out = printable(text, kShown);
  while (out.ends_with(' ')) out.pop_back();
  return out;
}

Finding judge(const HttpSpec& spec, const HttpParser& answer, const re2::RE2* pattern, Duration latency) {
  using State = HttpParser::State;
  switch (answer.state()) {
    case State::more:
    case State::truncated:
      return failure(Reason::reset, 0, latency, "closed before the answer was complete");
    case State::garbage:
      return failure(Reason::garbage, 0, latency, answer.complaint());
    case State::too_large:
      return failure(Reason::too_large, 0, latency, answer.complaint());
    case State::done:
      break;
  }
  if (!has_status(spec, answer.status())) {
    return failure(Reason::wrong_status, answer.status(), latency,
                   fmt::format("HTTP {}, expected {}", answer.status(), list(spec.status)));
  }
  const bool contained = spec.contains.empty() || answer.body().find(spec.contains.str()) != std::string_view::npos;
  const bool matched = pattern == nullptr ||
                       re2::RE2::PartialMatch(re2::StringPiece(answer.body().data(), answer.body().size()), *pattern);
  if (!contained || !matched) {
    const std::string wanted =
        contained ? "does not match " + spec.matches.str() : "does not contain " + spec.contains.str();
    if (!answer.body_cut()) return failure(Reason::wrong_body, answer.status(), latency, "the body " + wanted);
    return failure(Reason::too_large, answer.status(), latency, "the first 64 KiB of the body: it " + wanted);
  }
  if (spec.latency_below > Duration{} && latency >= spec.latency_below) {
    const auto millis = [](Duration d) { return std::chrono::duration_cast<std::chrono::milliseconds>(d).count(); };
    return failure(
        Reason::too_slow, static_cast<std::int32_t>(millis(latency)), latency,
        fmt::format("answered after {} ms, must be below {} ms", millis(latency), millis(spec.latency_below)));
  }
  return {{Result::success, Reason::none, 0, latency}, {}};
}

}  // namespace homeostat::probe
