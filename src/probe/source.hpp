// A source of numbers, as configured: whom to ask, and what of the answer is meant. The autoscaler's metrics are read
// so.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "probe/json_pointer.hpp"
#include "probe/reading.hpp"
#include "probe/series.hpp"
#include "probe/spec.hpp"
#include "traffic/spec.hpp"

namespace homeostat::probe {

/// Of the answer to a PromQL query.
struct QueryResult {
  std::string label{};  // tells the elements of a vector apart; empty: there is one number
  bool done = false;    // what was done is told, too
  bool any = false;     // negative, infinite, as large as it may be: what is done with it needs no counting
};

/// What of an answer is meant.
using Selection = std::variant<JsonPointer, SeriesSelector, QueryResult>;

struct HttpSource {
  HttpSpec request;
  std::vector<Selection> numbers;  // what is wanted of one answer, in this order
};

/// HAProxy's counters: a column of its statistics, of a queue two.
struct HaproxySource {
  traffic::HaproxyPlace place;
  std::vector<std::string> columns;
  bool of_servers = false;  // of each server by its name; else of the backend as a whole
  friend bool operator==(const HaproxySource&, const HaproxySource&) = default;
};

struct SourceSpec {
  std::variant<HttpSource, ExecSpec, HaproxySource> from;
  /// Each instance is asked by itself: `{port}`, `{instance}` and `{release}` are filled in.
  bool each_instance = false;
  /// One answer that tells of all instances: what it calls an instance, with the same filled in. Empty: it tells of
  /// none.
  std::string instance_label{};
  /// Of a queue two numbers: what waits, and what was done so far.
  bool queue = false;
  Duration timeout = std::chrono::seconds(2);
  Duration fresh_within = std::chrono::minutes(1);
  /// The numbers only grow: what counts is by how much in a second.
  bool per_second = false;
  /// Each version of a rollout is asked for by itself: `{version}` is filled in.
  bool each_version = false;
};

/// The path that asks a Prometheus for `query`. A series is asked for with the times of its samples; of an expression
/// only a Prometheus that knows `lookback_delta` leaves out what is older than `fresh_within`. `done`: of a queue, else
/// empty.
std::string promql_path(std::string_view prefix, std::string_view query, std::string_view done, Duration fresh_within);

/// A query that tells 1 where the condition ("< 0.05") holds of the number that `query` tells, and 0 where it does not.
std::string condition_of(std::string_view query, std::string_view expect);

/// Reads what is meant out of an answer with a good status; without all of it there is nothing.
Reading read_answer(const std::vector<Selection>& numbers, std::string_view body);

}  // namespace homeostat::probe
