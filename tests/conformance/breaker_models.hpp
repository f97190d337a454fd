// The breakers that a trace can ask for, behind one face.
#pragma once

#include <boost/json.hpp>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "homeostat/breaker_types.hpp"

namespace conformance {

namespace json = boost::json;

class BreakerModel {
 public:
  BreakerModel() = default;
  BreakerModel(const BreakerModel&) = delete;
  BreakerModel& operator=(const BreakerModel&) = delete;
  virtual ~BreakerModel() = default;

  virtual bool acquire(std::string_view id, homeostat::Instant now) = 0;
  virtual void finish(std::string_view id, homeostat::CallOutcome outcome, homeostat::Duration took,
                      homeostat::Instant now) = 0;
  virtual bool force(homeostat::BreakerState to, homeostat::Instant now) = 0;
  virtual void advance(homeostat::Instant now) = 0;
  virtual homeostat::BreakerState state(homeostat::Instant now) = 0;
  /// Under the names that the traces use.
  virtual json::object counts(homeostat::Instant now) = 0;
};

/// "gobreaker", "resilience4j", or "native": the configuration of the latter under our own rules.
std::expected<std::unique_ptr<BreakerModel>, std::string> make_breaker_model(std::string_view model,
                                                                             const json::object& config);

}  // namespace conformance
