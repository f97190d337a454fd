#include "probe/promql_check.hpp"

#include <fmt/core.h>

#include "probe/request.hpp"

namespace homeostat::probe {
namespace {

std::string decimal(std::int64_t thousandths) {
  const std::string sign = thousandths < 0 ? "-" : "";
  const std::uint64_t size =
      thousandths < 0 ? 0 - static_cast<std::uint64_t>(thousandths) : static_cast<std::uint64_t>(thousandths);
  std::string out = fmt::format("{}{}.{:03}", sign, size / 1000, size % 1000);
  while (out.ends_with('0')) out.pop_back();
  if (out.ends_with('.')) out.pop_back();
  return out;
}

Finding unknown(const Finding& found, std::string_view why) {
  return {Observation{Result::unknown, Reason::internal, 0, found.seen.latency}, for_people(why)};
}

}  // namespace

PromqlCheck::PromqlCheck(const PromqlSpec& spec, const Place& place)
    : expect_(spec.expect), held_for_(spec.held_for), fresh_within_(spec.fresh_within) {
  auto request = std::make_shared<SlowRequest>();
  request->what = filled(*spec.request, place);
  request->numbers = {QueryResult{.label = {}, .done = true}};
  request_ = std::move(request);
}

Finding PromqlCheck::judge(const Finding& found, Instant now, std::int64_t wall_ns) {
  if (!found.seen.good()) return unknown(found, "the Prometheus does not tell: " + found.detail);
  if (!found.told) return unknown(found, "the Prometheus does not tell: " + found.told.error().why);
  if (found.told->size() != 2) return unknown(found, "the answer does not say whether the condition holds");
  const Told& told = found.told->front();
  if (told.wall_ms && wall_ns / 1'000'000 - *told.wall_ms > fresh_within_ / std::chrono::milliseconds(1)) {
    return unknown(found, "the last sample is too old");
  }
  Finding out{Observation{Result::success, Reason::none, 0, found.seen.latency}, {}};
  if (found.told->back().value != 0) {
    fails_since_ = kNever;
    return out;
  }
  fails_since_ = std::min(fails_since_, now);
  out.detail = fmt::format("{} is not {}", decimal(told.value), expect_);
  if (now - fails_since_ < held_for_) return out;
  out.seen.result = Result::failure;
  out.seen.reason = Reason::reported;
  return out;
}

}  // namespace homeostat::probe
