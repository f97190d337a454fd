// The configuration as read from one YAML file: the engine's plan, and what the shell needs beside it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/alerts.hpp"
#include "config/problem.hpp"
#include "core/compact.hpp"
#include "engine/plan.hpp"
#include "notify/sender.hpp"
#include "probe/source.hpp"
#include "probe/spec.hpp"
#include "runtime/spec.hpp"
#include "traffic/spec.hpp"

namespace homeostat::config {

/// A command of the user's: an exec rung or an exec notifier. `{service}` `{instance}` `{summary}` `{incident}` are
/// filled in within each argument; the same texts are in the environment as HOMEOSTAT_SERVICE, ….
struct CommandSpec {
  std::string name;
  std::vector<std::string> argv;
  std::string user;
  std::string cwd;
  Duration timeout = std::chrono::seconds(30);
};

/// How a human is called: by a command of the user's, or by what Homeostat sends itself.
struct NotifierSpec {
  CommandSpec command;                   // exec: argv; the others: the user and the time-out
  std::optional<notify::Sender> sender;  // absent: exec
};

/// Where the parts of a service's `scaling` stand.
struct ScalingPosition {
  std::uint32_t service = 0;
  Position whole;
  std::optional<Position> up_limits;  // where they are given
  std::optional<Position> down_limits;
  std::vector<Position> metrics;
};

/// Where a rung names the version to go back to.
struct VersionPosition {
  std::uint32_t service = 0;
  std::string version;
  Position at;
};

/// Where something of a service is said, of which one says no more than it.
struct ServicePosition {
  std::uint32_t service = 0;
  Position at;
};

struct Config {
  std::string path;
  std::string text;   // as read: the input log and the journal refer to it
  engine::Plan plan;  // plan.services[i] belongs to runtimes[i]
  std::vector<runtime::Spec> runtimes;
  std::vector<Boxed<traffic::Spec>> traffic;  // of each service
  std::vector<probe::SourceSpec> sources;     // engine::SourcePlan::reference points here
  std::vector<probe::Spec> probes;            // CheckPlan::probe and Prerequisite::probe point here
  std::vector<CommandSpec> commands;          // exec rungs, and the gates of rollouts
  std::vector<NotifierSpec> notifiers;
  Position notifiers_at;
  std::vector<ScalingPosition> scalings;
  std::vector<ServicePosition> proxies;  // what leads requests to them
  std::vector<ServicePosition> units;    // what they are called by whoever runs them
  std::vector<VersionPosition> rollbacks;
  std::vector<Problem> remarks;  // what is valid and hardly meant
  std::optional<AlertsSpec> alerts;
  std::vector<std::string> secrets;  // texts that must never be repeated
};

}  // namespace homeostat::config
