#include "daemon/run.hpp"

#include <fmt/format.h>
#include <malloc.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <filesystem>

#include "config/load.hpp"
#include "daemon/daemon.hpp"
#include "daemon/service_manager.hpp"

namespace homeostat::daemon {
namespace {

constexpr int kLargeBlock = 128 << 10;
constexpr int kWrongConfig = 2;
constexpr int kCannotStart = 3;

int complain(int code, const std::string& text) {
  fmt::print(stderr, "homeostat: {}\n", text);
  return code;
}

bool leaves_instances(const config::Config& config) {
  for (const auto& spec : config.runtimes) {
    const auto* process = std::get_if<runtime::ProcessSpec>(&spec);
    if (process != nullptr && process->on_shutdown == runtime::OnShutdown::keep) return true;
  }
  return false;
}

}  // namespace

int run(const RunOptions& options) {
  // Set by hand it stays: what reading the file takes in large blocks is then given back whole, without holes between.
  mallopt(M_MMAP_THRESHOLD, kLargeBlock);
  auto config = config::load(options.config);
  if (!config) {
    for (const config::Problem& problem : config.error()) fmt::print(stderr, "{}\n", config::render(problem));
    return complain(kWrongConfig, "the configuration is wrong, nothing was started");
  }
  if (leaves_instances(*config)) {
    if (const auto mode = check_kill_mode(); !mode) return complain(kWrongConfig, mode.error().text);
  }
  Signals::block();
  std::error_code error;
  const auto state_dir = std::filesystem::absolute(options.state_dir, error);
  std::filesystem::create_directories(state_dir, error);
  RunOptions absolute = options;
  absolute.state_dir = state_dir.string();
  auto daemon = Daemon::open(absolute, std::move(*config));
  if (!daemon) return complain(kCannotStart, daemon.error().text);
  (*daemon)->run();
  return 0;
}

}  // namespace homeostat::daemon
