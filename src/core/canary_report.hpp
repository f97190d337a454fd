// What the evidence of one metric means: proven harm, excluded harm, or neither, and the sentence that says so.
#pragma once

#include <string>

#include "homeostat/canary_evidence.hpp"

namespace homeostat::canary {

/// Fills in verdict, change and bounds. The samples are enough.
void weigh(const Metric& metric, const Estimate& estimate, double alpha, double beta, MetricReport& report);
void weigh(const Metric& metric, const CountEvidence& evidence, double alpha, double beta, MetricReport& report);

/// The sentence for a report whose numbers are known.
std::string explain(const Metric& metric, const MetricReport& report);

/// 0.1234 as "12.3 %".
std::string percent(double share);

}  // namespace homeostat::canary
