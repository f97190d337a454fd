// The check kind `promql`: a number of a Prometheus against a condition that may fail to hold for a while.
#pragma once

#include <memory>
#include <string>

#include "probe/slow_path.hpp"
#include "probe/spec.hpp"

namespace homeostat::probe {

class PromqlCheck {
 public:
  PromqlCheck(const PromqlSpec& spec, const Place& place);

  const std::shared_ptr<const SlowRequest>& request() const { return request_; }
  /// What the answer means. A number that is not there, or too old, is unknown, and so is for how long the condition
  /// has not held when it was never seen to hold. Once it has not held for long enough it fails until it holds again.
  /// `wall_ns`: since 1970.
  Finding judge(const Finding& found, Instant now, std::int64_t wall_ns);
  /// Then what this one has seen holds for the other.
  bool asks_the_same(const PromqlCheck& other) const;

 private:
  std::shared_ptr<const SlowRequest> request_;
  std::string expect_;
  Duration held_for_;
  Duration fresh_within_;
  bool has_held_ = false;
  Instant fails_since_ = kNever;
};

}  // namespace homeostat::probe
