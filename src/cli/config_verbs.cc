// validate, schema
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <memory>

#include "api/status.hpp"
#include "cli/context.hpp"
#include "cli/servers.hpp"
#include "cli/table.hpp"
#include "cli/units.hpp"
#include "config/load.hpp"
#include "config/reference.hpp"
#include "config/warnings.hpp"

namespace homeostat::cli {
namespace {

json::array problems_json(const std::vector<config::Problem>& problems) {
  json::array list;
  for (const config::Problem& p : problems) {
    list.push_back(
        json::object{{"file", p.file}, {"line", p.line}, {"column", p.column}, {"text", p.text}, {"hint", p.hint}});
  }
  return list;
}

std::string checks_text(const engine::ServicePlan& plan) {
  json::array names;
  for (const engine::CheckPlan& check : plan.checks) {
    names.push_back(
        json::string(check.name + (check.role == Role::alive ? "" : " (" + std::string(to_string(check.role)) + ")")));
  }
  return join(names, "none");
}

std::string ladder_text(const engine::ServicePlan& plan) {
  std::string text;
  for (const engine::RungPlan& rung : plan.ladder) {
    text += (text.empty() ? "" : " -> ") + api::rung_name(rung);
    if (rung.attempts > 1) text += fmt::format(" x{}", rung.attempts);
  }
  return text.empty() ? "none" : text;
}

json::object summary(const config::Config& config, const std::vector<config::Problem>& warnings) {
  json::array services;
  for (const engine::ServicePlan& plan : config.plan.services) {
    services.push_back(json::object{{"name", plan.name},
                                    {"instances", plan.instances},
                                    {"mode", json::string(name_of(plan.mode))},
                                    {"checks", checks_text(plan)},
                                    {"ladder", ladder_text(plan)}});
  }
  return {
      {"ok", true}, {"file", config.path}, {"services", std::move(services)}, {"warnings", problems_json(warnings)}};
}

std::string show_summary(const json::object& summary, bool color) {
  Table table({"SERVICE", "INSTANCES", "MODE", "CHECKS", "LADDER"});
  for (const json::value& item : list_at(summary, "services")) {
    const json::object& service = item.as_object();
    table.add({{text_at(service, "name")},
               {text_at(service, "instances")},
               {text_at(service, "mode")},
               {text_at(service, "checks")},
               {text_at(service, "ladder")}});
  }
  const std::size_t count = list_at(summary, "services").size();
  return fmt::format("{} is good: {} service{}\n", text_at(summary, "file"), count, count == 1 ? "" : "s") +
         (count == 0 ? "" : "\n" + table.text(color));
}

/// With `warning:` after the place, as compilers do, so that editors find it.
void warn(const std::vector<config::Problem>& warnings) {
  for (config::Problem warning : warnings) {
    warning.text = "warning: " + warning.text;
    std::fprintf(stderr, "%s\n", config::render(warning).c_str());
  }
}

int refuse(const Context& context, const std::vector<config::Problem>& problems) {
  if (context.json) {
    const json::object bad{{"ok", false}, {"problems", problems_json(problems)}};
    std::printf("%s\n", json::serialize(bad).c_str());
  } else {
    for (const config::Problem& problem : problems) std::fprintf(stderr, "%s\n", config::render(problem).c_str());
    std::fprintf(stderr, "%zu problem%s\n", problems.size(), problems.size() == 1 ? "" : "s");
  }
  return kUsage;
}

int validate(const Context& context, const std::string& file) {
  const auto config = config::load(file.empty() ? context.config : file);
  if (!config) return refuse(context, config.error());
  CountedServers servers = count_servers(*config);
  if (!servers.problems.empty()) return refuse(context, servers.problems);
  std::vector<config::Problem> warnings = config::warnings_of(*config);
  std::ranges::move(servers.warnings, std::back_inserter(warnings));
  std::ranges::move(unfit_units(*config), std::back_inserter(warnings));
  const json::object good = summary(*config, warnings);
  std::fputs(context.json ? (json::serialize(good) + "\n").c_str() : show_summary(good, context.color()).c_str(),
             stdout);
  if (!context.json) warn(warnings);
  return kOk;
}

}  // namespace

void add_config_verbs(CLI::App& app, Context& context) {
  const auto file = std::make_shared<std::string>();
  add_verb(app, context, "validate", "Read a configuration and say everything that is wrong with it, and where",
           "homeostat validate homeostat.yaml", [&context, file] { return validate(context, *file); })
      ->add_option("FILE", *file, "The file; without it the one of --config");
  add_verb(app, context, "schema", "Print the configuration's JSON Schema, for editors",
           "homeostat schema > homeostat.schema.json", [] {
             std::printf("%s\n", config::schema().c_str());
             return static_cast<int>(kOk);
           });
}

}  // namespace homeostat::cli
