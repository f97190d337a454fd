// The check kind `haproxy`: what HAProxy counts of an instance, or of all of them, against a condition.
#pragma once

#include <optional>
#include <string>

#include "probe/judge.hpp"
#include "probe/rates.hpp"
#include "probe/source.hpp"
#include "probe/spec.hpp"

namespace homeostat::probe {

class HaproxyCheck {
 public:
  HaproxyCheck(const HaproxySpec& spec, const Place& place);

  /// Whom to ask for what.
  SourceSpec source(Duration timeout) const;
  /// What the answer means. What HAProxy does not tell, or tells for the first time where it only counts up, is
  /// unknown: that is not the instance's fault.
  Finding judge(const Reading& reading, Duration latency, Instant now);
  /// Then what this one has counted holds for the other.
  bool asks_the_same(const HaproxyCheck& other) const;

 private:
  HaproxySpec spec_;  // filled
  Rates rates_;
};

}  // namespace homeostat::probe
