#include "scenario/prepare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "config/load.hpp"
#include "engine/breakers.hpp"

namespace homeostat::scenario {
namespace {

/// Every name of one kind in any of the configurations.
struct Names {
  std::set<std::string> services{"everything"}, checks, configs, notifiers, commands, breakers;
  std::map<std::string, std::uint32_t> instances;  // the most that any configuration has
};

Names names_of(const Configs& configs) {
  Names names;
  for (const auto& [name, config] : configs) {
    if (!name.empty()) names.configs.insert(name);
    for (const engine::NotifierPlan& notifier : config.plan.notifiers) names.notifiers.insert(notifier.name);
    for (const auto& [breaker, identity] : engine::dependencies(config.plan)) names.breakers.insert(breaker);
    for (const config::CommandSpec& command : config.commands) names.commands.insert(command.name);
    for (const engine::ServicePlan& service : config.plan.services) {
      names.services.insert(service.name);
      for (const engine::CheckPlan& check : service.checks) names.checks.insert(check.name);
      std::uint32_t& most = names.instances[service.name];
      most = std::max(most, service.instances);
    }
  }
  return names;
}

class Checker {
 public:
  Checker(const Scenario& scenario, const Names& names) : scenario_(scenario), names_(names) {}

  void check(const Captures& words) {
    for (const auto& [kind, word] : words.all()) {
      if (kind == "service" && word.text != "homeostat") known(names_.services, "service", word, word.text);
      if (kind == "check") known(names_.checks, "check", word, word.text);
      if (kind == "config") known(names_.configs, "configuration", word, word.text);
      if (kind == "notifier") known(names_.notifiers, "notifier", word, word.text);
      if (kind == "breaker") breaker(word);
      if (kind == "name") known(names_.commands, "command", word, word.text);
      if (kind == "place") place(word);
    }
  }

  std::vector<Problem> problems;

 private:
  void known(const std::set<std::string>& all, std::string_view what, const Word& word, std::string_view name) {
    if (all.contains(std::string(name))) return;
    const std::vector<std::string_view> near(all.begin(), all.end());
    problems.push_back({scenario_.file, word.at.line, word.at.column,
                        fmt::format("no {} {} is configured", what, config::quote(name)), config::nearest(name, near)});
  }

  // Before a version stands one like those before its instances.
  void breaker(const Word& word) {
    const std::size_t version = word.text.find("/@");
    known(names_.breakers, "breaker", word,
          version == std::string::npos ? word.text : word.text.substr(0, version) + "/0");
  }

  void place(const Word& word) {
    const PlaceName place = parse_place(word.text).value_or(PlaceName{});
    known(names_.services, "service", word, place.service);
    const auto most = names_.instances.find(place.service);
    if (most == names_.instances.end() || place.slot < static_cast<engine::Slot>(most->second)) return;
    problems.push_back({scenario_.file,
                        word.at.line,
                        word.at.column,
                        fmt::format("{} has {} instances, counted from 0", place.service, most->second),
                        {}});
  }

  const Scenario& scenario_;
  const Names& names_;
};

std::expected<config::Config, std::vector<Problem>> load(const Scenario& scenario, const ConfigPart& part) {
  if (part.from.empty()) return config::load_text(part.text, scenario.file);
  return config::load(std::filesystem::path(scenario.file).parent_path() / part.from);
}

}  // namespace

std::expected<Configs, std::vector<Problem>> prepare(const Scenario& scenario) {
  Configs configs;
  for (const ConfigPart& part : scenario.configs) {
    auto config = load(scenario, part);
    if (!config) return std::unexpected(std::move(config.error()));
    configs.emplace(part.name, std::move(*config));
  }
  const Names names = names_of(configs);
  Checker checker(scenario, names);
  for (const Event& event : scenario.events) checker.check(event.words);
  for (const Expectation& one : scenario.expectations) {
    for (const Claim& claim : one.claims) checker.check(claim.words);
  }
  if (!checker.problems.empty()) return std::unexpected(std::move(checker.problems));
  return configs;
}

}  // namespace homeostat::scenario
