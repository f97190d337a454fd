// The sources of a metric that lie outside: a web server, a Prometheus, HAProxy, a command.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "config/types.hpp"
#include "probe/source.hpp"

namespace homeostat::config {

struct SourceTiming {
  Duration timeout = std::chrono::seconds(2);
  Duration fresh_within = std::chrono::minutes(1);
};

struct SourceDraft {
  probe::SourceSpec spec;
  std::uint64_t identity = 0;
  std::string_view kind;  // the key it was given by
};

/// Whether instances tell it, each for itself; otherwise it is one number of the service.
bool by_instance(const SourceDraft& source);

/// What follows from the rest: whether each instance is asked.
void finish_source(std::string_view kind, const SourceTiming& timing, SourceDraft& out);

const Table<SourceTiming>& source_timing_table();  // metric_source.cc
Type<SourceDraft> http_source_type();              // metric_http.cc
Type<SourceDraft> promql_source_type();            // metric_promql.cc
Type<SourceDraft> exec_source_type();              // metric_exec.cc
Type<SourceDraft> haproxy_source_type();           // metric_haproxy.cc
const Section& http_source_section();              // metric_http.cc
const Section& promql_source_section();            // metric_promql.cc
const Section& exec_source_section();              // metric_exec.cc
const Section& haproxy_source_section();           // metric_haproxy.cc

struct Resolution;
struct ServiceDraft;
/// What a source does not say itself and the rest of the service does.
void complete_source(const Resolution& in, const Named<ServiceDraft>& service, const Node& metric, SourceDraft& out);
/// Keeps what the shell needs of the source, and says what the engine does.
engine::SourcePlan resolve_source(const Resolution& in, const Named<ServiceDraft>& service, const Node& metric,
                                  const SourceDraft& source, MetricKind kind);

}  // namespace homeostat::config
