#include "cli/completion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace homeostat::cli {
namespace {

std::vector<const CLI::App*> verbs_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App* verb) { return !verb->get_group().empty(); });  // not the hidden ones
}

/// "--json --config" and so on: the verb's own long options and those of every verb.
std::string options_of(const CLI::App& app, const CLI::App& verb) {
  std::string all;
  for (const CLI::App* from : {&verb, &app}) {
    for (const CLI::Option* option : from->get_options()) {
      for (const std::string& name : option->get_lnames()) all += "--" + name + " ";
    }
    if (&app == &verb) break;
  }
  return all;
}

std::string names_of(const CLI::App& app) {
  std::string all;
  for (const CLI::App* verb : verbs_of(app)) all += verb->get_name() + " ";
  return all;
}

bool takes_service(const CLI::App& verb) {
  return std::ranges::any_of(verb.get_options(), [](const CLI::Option* option) {
    return option->get_positional() && option->get_name(true).find("SERVICE") != std::string::npos;
  });
}

// The services' names come from the daemon, or the journal, at the moment of completion.
constexpr std::string_view kServices =
    R"(homeostat status --json 2>/dev/null | grep -o '"name":"[^"/]*"' | cut -d'"' -f4)";

std::string bash(const CLI::App& app) {
  std::string cases;
  for (const CLI::App* verb : verbs_of(app)) {
    std::string words = names_of(*verb);
    if (takes_service(*verb)) words += fmt::format("$({}) ", kServices);
    cases += fmt::format("    {}) words=\"{}\" options=\"{}\" ;;\n", verb->get_name(), words, options_of(app, *verb));
  }
  return fmt::format(
      "_homeostat() {{\n"
      "  local word=${{COMP_WORDS[COMP_CWORD]}} verb= words= options= i\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    case ${{COMP_WORDS[i]}} in -*) ;; *) verb=${{COMP_WORDS[i]}}; break ;; esac\n"
      "  done\n"
      "  case ${{COMP_WORDS[COMP_CWORD - 1]}} in\n"
      "    --config|--state-dir|--socket|validate) COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n"
      "  esac\n"
      "  case $verb in\n"
      "    \"\") words=\"{}\" options=\"{}\" ;;\n{}"
      "  esac\n"
      "  case $word in -*) words=$options ;; esac\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
      "}}\n"
      "complete -F _homeostat homeostat\n",
      names_of(app), options_of(app, app), cases);
}

std::string fish(const CLI::App& app) {
  std::string out = "complete -c homeostat -f\n";
  const auto quoted = [](std::string text) {
    std::erase(text, '\'');
    return "'" + text + "'";
  };
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      out += fmt::format("complete -c homeostat -l {} -d {}\n", name, quoted(option->get_description()));
    }
  }
  for (const CLI::App* verb : verbs_of(app)) {
    out += fmt::format("complete -c homeostat -n __fish_use_subcommand -a {} -d {}\n", verb->get_name(),
                       quoted(verb->get_description()));
    const std::string seen = fmt::format("-n '__fish_seen_subcommand_from {}'", verb->get_name());
    if (verb->get_name() == "validate") out += fmt::format("complete -c homeostat {} -F\n", seen);
    if (takes_service(*verb))
      out += fmt::format("complete -c homeostat {} -a \"({})\"\n", seen,
                         R"(homeostat status --json 2>/dev/null | grep -o '\"name\":\"[^\"/]*\"' | cut -d'\"' -f4)");
    for (const CLI::App* inner : verbs_of(*verb)) {
      out += fmt::format("complete -c homeostat {} -a {} -d {}\n", seen, inner->get_name(),
                         quoted(inner->get_description()));
    }
    for (const CLI::Option* option : verb->get_options()) {
      for (const std::string& name : option->get_lnames()) {
        out += fmt::format("complete -c homeostat {} -l {} -d {}\n", seen, name, quoted(option->get_description()));
      }
    }
  }
  return out;
}

}  // namespace

std::string completion(const CLI::App& app, const std::string& shell) {
  if (shell == "fish") return fish(app);
  // zsh runs bash's completions through its own bridge.
  if (shell == "zsh") return "#compdef homeostat\nautoload -U +X bashcompinit && bashcompinit\n" + bash(app);
  return bash(app);
}

}  // namespace homeostat::cli
