#include "probe/promql_check.hpp"

#include <fmt/core.h>

#include "probe/condition.hpp"
#include "probe/request.hpp"

namespace homeostat::probe {
namespace {

Finding unknown(const Finding& found, std::string_view why) {
  return {Observation{Result::unknown, Reason::internal, 0, found.seen.latency}, for_people(why)};
}

}  // namespace

PromqlCheck::PromqlCheck(const PromqlSpec& spec, const Place& place)
    : expect_(spec.expect), held_for_(spec.held_for), fresh_within_(spec.fresh_within) {
  auto request = std::make_shared<SlowRequest>();
  request->what = filled(*spec.request, place);
  request->numbers = {QueryResult{.label = {}, .done = true, .any = true}};
  request_ = std::move(request);
}

Finding PromqlCheck::judge(const Finding& found, Instant now, std::int64_t wall_ns) {
  // What it says of the query itself is the better reason.
  if (!found.told) return unknown(found, "the Prometheus does not tell: " + found.told.error().why);
  if (!found.seen.good()) return unknown(found, "the Prometheus does not tell: " + found.detail);
  if (found.told->size() != 2) return unknown(found, "the answer does not say whether the condition holds");
  const Told& told = found.told->front();
  if (told.wall_ms && wall_ns / 1'000'000 - *told.wall_ms > fresh_within_ / std::chrono::milliseconds(1)) {
    return unknown(found, "the last sample is too old");
  }
  if (found.told->back().value != 0) {
    has_held_ = true;
    fails_since_ = kNever;
    return {Observation{Result::success, Reason::none, 0, found.seen.latency}, {}};
  }
  fails_since_ = std::min(fails_since_, now);
  const std::string number = told.shown.empty() ? show_number(told.value) : told.shown;
  const std::string words = fmt::format("{} is not {}", number, expect_);
  if (now - fails_since_ >= held_for_) {
    return {Observation{Result::failure, Reason::reported, 0, found.seen.latency}, words};
  }
  if (!has_held_) return unknown(found, words + ", and it is not known yet for how long");
  return {Observation{Result::success, Reason::none, 0, found.seen.latency}, words};
}

bool PromqlCheck::asks_the_same(const PromqlCheck& other) const {
  return std::get<HttpSpec>(request_->what) == std::get<HttpSpec>(other.request_->what) && expect_ == other.expect_ &&
         held_for_ == other.held_for_ && fresh_within_ == other.fresh_within_;
}

}  // namespace homeostat::probe
