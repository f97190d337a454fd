#include "config/told_argv.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/variable.hpp"

namespace homeostat::config {
namespace {

using Arguments = std::vector<std::string>;

bool is_told_by_alert(std::string_view name) { return name == "alert" || name.starts_with("label_"); }
bool is_told(std::string_view name) { return name == "summary" || is_told_by_alert(name); }

/// The name of the first placeholder of this kind, without its braces; empty: there is none.
std::string_view placeholder(std::string_view text, bool (*wanted)(std::string_view)) {
  for (std::size_t open = text.find('{'); open != std::string_view::npos; open = text.find('{', open + 1)) {
    const std::size_t close = text.find('}', open);
    if (close == std::string_view::npos) return {};
    const std::string_view name = text.substr(open + 1, close - open - 1);
    if (wanted(name)) return name;
  }
  return {};
}

/// "/usr/bin/python3.12" is "python".
std::string_view program_of(std::string_view argument) {
  argument.remove_prefix(argument.rfind('/') + 1);
  return argument.substr(0, argument.find_last_not_of("0123456789.-") + 1);
}

/// Their first argument that is no option is a script, or code.
bool runs_code(std::string_view program) {
  static constexpr std::string_view kThese[] = {"sh",     "bash", "rbash", "dash", "zsh", "ksh", "mksh",
                                                "ash",    "fish", "csh",   "tcsh", "ssh", "su",  "runuser",
                                                "python", "perl", "ruby",  "node", "php", "lua"};
  return std::ranges::find(kThese, program) != std::end(kThese);
}

bool is_option(std::string_view argument) {
  return argument.size() > 1 && (argument.front() == '-' || argument.front() == '+');
}

/// The first argument that is no option, of the program that is the argument `at`.
std::size_t first_operand(const Arguments& argv, std::size_t at) {
  for (++at; at < argv.size() && is_option(argv[at]); ++at) {
    if (argv[at] == "--") return at + 1;
    if (!argv[at].starts_with("--") && argv[at].ends_with('o')) ++at;  // -o pipefail
  }
  return at;
}

/// The program that would run the argument `at` as code; empty: none would.
std::string_view runner_of(const Arguments& argv, std::size_t at) {
  std::size_t code_at = argv.size();  // of the first of them; what stands behind it is data, whatever it is called
  for (std::size_t i = 0; i < at; ++i) {
    const std::string_view program = program_of(argv[i]);
    if (!runs_code(program)) continue;
    const std::string& before = argv[at - 1];
    const bool code = is_option(before) && (before.ends_with('c') || before == "--command");
    const std::size_t operand = first_operand(argv, i);
    if (code || program == "ssh" || (i < code_at && at <= operand)) return program;
    code_at = std::min(code_at, operand);
  }
  return {};
}

std::string in_braces(std::string_view name) { return fmt::format("{{{}}}", name); }

/// What is wrong with what is filled into the argument `at`; empty: nothing.
std::string wrong_with(const Arguments& argv, std::size_t at) {
  const std::string_view told = placeholder(argv[at], is_told);
  if (told.empty()) return {};
  if (at == 0) return fmt::format("{} is what others say: it cannot be the program", quote(in_braces(told)));
  const std::string variable = variable_of(told);
  if (const std::string_view runner = runner_of(argv, at); !runner.empty()) {
    return fmt::format(
        "{} would run {} as code, and others say what it is: use \"${}\" in the code, or give it as an argument of its "
        "own behind the code",
        quote(runner), quote(in_braces(told)), variable);
  }
  const std::string_view alert = placeholder(argv[at], is_told_by_alert);
  if (alert.empty() || argv[at] == in_braces(alert)) return {};
  return fmt::format(
      "{} is what an alert says: it can only be an argument of its own; or use the environment variable {}",
      quote(in_braces(alert)), variable_of(alert));
}

}  // namespace

Type<std::vector<std::string>> told_argv_type() {
  const auto plain = argv_type();
  return {plain.shape, [plain](const Node& node, Reader& reader, Arguments& out) {
            plain.read(node, reader, out);
            if (out.size() != node.items.size()) return;  // reported
            for (std::size_t i = 0; i < out.size(); ++i) {
              const std::string wrong = wrong_with(out, i);
              if (!wrong.empty()) reader.problem(node.items[i].at, wrong);
            }
          }};
}

}  // namespace homeostat::config
