// graph: what needs what, as Graphviz draws it.
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>

#include "cli/context.hpp"
#include "cli/table.hpp"
#include "config/load.hpp"

namespace homeostat::cli {
namespace {

std::string_view style_of(const engine::Need& need) {
  if (need.any_of != 0) return "style=dashed, label=\"any of\"";
  switch (need.tie) {
    case diagnosis::Tie::hard:
      return "style=solid";
    case diagnosis::Tie::soft:
      return "style=dotted, label=\"soft\"";
    case diagnosis::Tie::runs_on:
      return "style=bold, label=\"runs on\"";
  }
  return "";
}

// Names of services are a-z 0-9 _ -: they need no escaping within quotes.
std::string dot_text(const engine::Plan& plan) {
  std::string out = "digraph homeostat {\n  rankdir=LR;\n  node [shape=box, style=rounded, fontname=\"sans-serif\"];\n";
  for (const engine::ServicePlan& service : plan.services) {
    out += fmt::format("  \"{}\"{};\n", service.name, service.external ? " [style=\"rounded,dashed\"]" : "");
  }
  for (const engine::ServicePlan& service : plan.services) {
    for (const engine::Need& need : service.depends_on) {
      out += fmt::format("  \"{}\" -> \"{}\" [{}];\n", service.name, plan.services[need.service].name, style_of(need));
    }
  }
  return out + "}\n";
}

json::object graph_json(const engine::Plan& plan) {
  json::array services;
  json::array edges;
  for (const engine::ServicePlan& service : plan.services) {
    services.push_back(json::object{{"name", service.name}, {"external", service.external}});
    for (const engine::Need& need : service.depends_on) {
      edges.push_back(json::object{{"from", service.name},
                                   {"to", plan.services[need.service].name},
                                   {"tie", json::string(diagnosis::to_string(need.tie))},
                                   {"any_of", need.any_of}});
    }
  }
  return {{"services", std::move(services)}, {"edges", std::move(edges)}};
}

// This program becomes `dot`, with the text as its input.
int become_dot(const std::string& text) {
  std::FILE* file = std::tmpfile();
  if (file == nullptr) return complain(kBad, "no temporary file can be made");
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size() && std::fflush(file) == 0;
  if (!written || ::lseek(::fileno(file), 0, SEEK_SET) != 0 || ::dup2(::fileno(file), STDIN_FILENO) < 0) {
    return complain(kBad, "the temporary file cannot be written");
  }
  char name[] = "dot";
  char format[] = "-Tsvg";
  char* const argv[] = {name, format, nullptr};
  ::execvp(name, argv);
  return complain(kBad, "Graphviz's `dot` is not there (apt install graphviz); without --svg its text is printed");
}

int graph(const Context& context, const std::string& file, bool svg) {
  const auto config = config::load(file.empty() ? context.config : file);
  if (!config) {
    for (const config::Problem& problem : config.error()) std::fprintf(stderr, "%s\n", config::render(problem).c_str());
    return kUsage;
  }
  if (svg) return become_dot(dot_text(config->plan));
  const std::string text = context.json ? json::serialize(graph_json(config->plan)) + "\n" : dot_text(config->plan);
  std::fputs(text.c_str(), stdout);
  return kOk;
}

}  // namespace

void add_graph_verbs(CLI::App& app, Context& context) {
  const auto file = std::make_shared<std::string>();
  const auto svg = std::make_shared<bool>(false);
  CLI::App* verb = add_verb(app, context, "graph", "Draw which service needs which, as text for Graphviz or as SVG",
                            "homeostat graph homeostat.yaml --svg > services.svg",
                            [&context, file, svg] { return graph(context, *file, *svg); });
  verb->add_option("FILE", *file, "The file; without it the one of --config");
  verb->add_flag("--svg", *svg, "Draw it with Graphviz's `dot`");
}

}  // namespace homeostat::cli
