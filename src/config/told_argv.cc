#include "config/told_argv.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "config/runners.hpp"
#include "config/secret_names.hpp"
#include "core/variable.hpp"

namespace homeostat::config {
namespace {

using Arguments = std::vector<std::string>;

/// Whatever is filled into any command.
constexpr std::string_view kAllNames =
    "service instance action incident summary alert label_ version count port release from stage escalation attempt "
    "key";
constexpr std::string_view kLabel = "label_";
constexpr std::size_t kMostArguments = 256;

bool is_told(std::string_view name) { return name == "summary" || is_told_by_alert(name); }

bool is_among(std::string_view names, std::string_view name) {
  const auto all = split(names, " ");
  return std::ranges::find(all, is_label_placeholder(name) ? kLabel : name) != all.end();
}

/// The first placeholder of which `wanted(name, where its brace is)` holds, without its braces; empty: there is none.
template <class Wanted>
std::string_view placeholder(std::string_view text, Wanted wanted) {
  for (std::size_t open = text.find('{'); open != std::string_view::npos; open = text.find('{', open + 1)) {
    const std::size_t close = text.find('}', open);
    if (close == std::string_view::npos) return {};
    const std::string_view name = text.substr(open + 1, close - open - 1);
    if (wanted(name, open)) return name;
  }
  return {};
}

std::string in_braces(std::string_view name) { return fmt::format("{{{}}}", name); }

/// "${name}", as a shell writes its variables.
bool is_of_shell(std::string_view text, std::size_t brace) { return brace > 0 && text[brace - 1] == '$'; }

/// What is filled into a command.
struct Filling {
  std::string_view names;
  std::string_view meant = kAllNames;  // what somebody could believe to be
  bool variables = true;               // it is in variables, too
};

/// What would surprise in what is filled into an argument, or is not; empty: nothing.
std::string wrong_name(std::string_view argument, const Filling& filling) {
  const std::string_view names = filling.names;
  if (std::string wrong = not_filled_in(argument, names, filling.meant); !wrong.empty()) return wrong;
  const std::string_view variable = placeholder(argument, [&](std::string_view name, std::size_t open) {
    return is_of_shell(argument, open) && is_among(names, name);
  });
  if (variable.empty()) return {};
  const std::string name = quote(in_braces(variable));
  return fmt::format("{} is filled in before a shell could see it: write {}", name,
                     filling.variables ? fmt::format("`${}`", variable_of(variable)) : name + " without the `$`");
}

std::string run_as_code(const Runner& runner, std::string_view told) {
  const std::string what =
      fmt::format("{} would run {} as code, and others say what it is: ", quote(runner.name), quote(in_braces(told)));
  if (runner.what == Runner::Runs::shell_code) {
    return what + fmt::format("use \"${}\" in the code, or give it as an argument of its own behind the code",
                              variable_of(told));
  }
  return what + fmt::format("let a program of yours read the environment variable {}", variable_of(told));
}

/// What is wrong with what is filled into the argument `at`; empty: nothing.
std::string wrong_with(const Arguments& argv, std::size_t at) {
  const std::string_view told = placeholder(argv[at], [](std::string_view name, std::size_t) { return is_told(name); });
  if (told.empty()) return {};
  if (at == 0) return fmt::format("{} is what others say: it cannot be the program", quote(in_braces(told)));
  const Runner runner = runner_of(argv, at);
  if (runner.what == Runner::Runs::program) {
    return fmt::format(
        "{} could take {} for the program to run or for a setting of its own, and others say what it is: give it "
        "behind "
        "the program, or let a program of yours read the environment variable {}",
        quote(runner.name), quote(in_braces(told)), variable_of(told));
  }
  if (runner.what != Runner::Runs::nothing) return run_as_code(runner, told);
  const std::string_view alert =
      placeholder(argv[at], [](std::string_view name, std::size_t) { return is_told_by_alert(name); });
  if (alert.empty() || argv[at] == in_braces(alert)) return {};
  return fmt::format(
      "{} is what an alert says: it can only be an argument of its own; or use the environment variable {}",
      quote(in_braces(alert)), variable_of(alert));
}

/// The argument list, of which `wrong(argv, i)` tells what is wrong with an argument.
template <class Wrong>
Type<Arguments> checked(Wrong wrong) {
  const auto plain = argv_type();
  return {plain.shape, [plain, wrong](const Node& node, Reader& reader, Arguments& out) {
            plain.read(node, reader, out);
            if (out.size() != node.items.size()) return;  // reported
            if (out.size() > kMostArguments)
              return reader.problem(node.at, fmt::format("a command has at most {} arguments", kMostArguments));
            for (std::size_t i = 0; i < out.size(); ++i) {
              const std::string text = wrong(out, i);
              if (!text.empty()) reader.problem(node.items[i].at, text);
            }
          }};
}

Type<Arguments> filled_by(Filling filling) {
  return checked([filling](const Arguments& argv, std::size_t i) { return wrong_name(argv[i], filling); });
}

}  // namespace

std::string not_filled_in(std::string_view text, std::string_view names, std::string_view meant) {
  const std::string_view absent = placeholder(text, [&](std::string_view name, std::size_t open) {
    return !is_of_shell(text, open) && is_among(meant, name) && !is_among(names, name);
  });
  if (absent.empty()) return {};
  std::string known;
  for (const std::string_view name : split(names, " "))
    known += (known.empty() ? "" : ", ") + quote(in_braces(name == kLabel ? "label_NAME" : name));
  return fmt::format("{} is not filled in here: what is, is {}", quote(in_braces(absent)), known);
}

Type<Arguments> filled_argv_type(std::string_view names) { return filled_by({names}); }

Type<Arguments> looking_argv_type(std::string_view names) { return filled_by({names, kOfPlaces, false}); }

Type<Arguments> told_argv_type(std::string_view names) {
  return checked([names](const Arguments& argv, std::size_t i) {
    const std::string text = wrong_name(argv[i], {names});
    return text.empty() ? wrong_with(argv, i) : text;
  });
}

}  // namespace homeostat::config
