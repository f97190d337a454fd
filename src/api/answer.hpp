// Answers requests: on the engine's thread from the engine, elsewhere from the journal.
#pragma once

#include <expected>
#include <filesystem>
#include <functional>
#include <string>

#include "api/operator.hpp"
#include "api/request.hpp"
#include "api/view.hpp"
#include "config/config.hpp"
#include "core/error.hpp"
#include "engine/engine.hpp"

namespace homeostat::api {

/// The daemon as a request sees it. Used on the engine's thread only.
struct Daemon {
  const engine::Engine& engine;
  const config::Config& config;
  Clock clock;
  /// Steps the engine and carries out what it wants.
  std::function<void(engine::Operator)> feed;
  /// Reads the configuration anew and goes over to it; an error leaves everything as it was.
  /// What must be known of it, or nothing.
  std::function<std::expected<std::string, Error>(const ReloadAsked&)> reload;
  WordsOf words = [](engine::TargetId) { return std::string_view(); };
  SeenAlerts alerts = [] { return std::nullopt; };
};

/// status, why and every POST. A command answers with the `seq` after which the journal tells what came of it.
Response answer(const Daemon& daemon, const Request& request);

/// history, stats and journal, read from the state directory. For any thread.
Response answer_from_journal(const std::filesystem::path& state_dir, const Request& request);

}  // namespace homeostat::api
