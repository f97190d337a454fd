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
  /// What the answer means. A number that is not there, or too old, is unknown. `wall_ns`: since 1970.
  Finding judge(const Finding& found, Instant now, std::int64_t wall_ns);

 private:
  std::shared_ptr<const SlowRequest> request_;
  std::string expect_;
  Duration held_for_;
  Duration fresh_within_;
  Instant fails_since_ = kNever;
};

}  // namespace homeostat::probe
