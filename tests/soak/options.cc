#include "options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

namespace homeostat::soak {

std::optional<int> read_options(int argc, char** argv, const std::string& words, Options& options) {
  CLI::App app(words);
  app.add_option("--count", options.count, "How many")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--seed", options.seed, "Chooses what is done and when; default: another one each time");
  std::string runtime = options.runtimes.empty() ? "" : options.runtimes.front();
  if (!options.runtimes.empty()) {
    app.add_option("--runtime", runtime, "What runs the services")
        ->check(CLI::IsMember(options.runtimes))
        ->capture_default_str();
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  }
  if (!options.runtimes.empty()) options.runtimes = {runtime};
  fmt::print("seed {}\n", options.seed);
  return std::nullopt;
}

std::function<void(std::uint64_t)> progress_of(std::uint64_t count) {
  return [count, step = std::max<std::uint64_t>(count / 20, 1)](std::uint64_t done) {
    if (done % step == 0) fmt::print(stderr, "{} of {}\n", done, count);
  };
}

}  // namespace homeostat::soak
