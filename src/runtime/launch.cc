#include "runtime/launch.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "runtime/fill.hpp"

namespace homeostat::runtime {

namespace {

template <typename Number>
bool take(std::string_view& text, std::string_view label, Number& number) {
  if (!text.starts_with(label)) return false;
  text.remove_prefix(label.size());
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

// The path of the release; empty for a service without releases.
std::expected<std::string, Error> release_path(const ProcessSpec& spec, const std::string& version) {
  if (spec.releases.empty()) return std::string();
  if (version.empty()) return fail(fmt::format("no version has been deployed; releases are in {}", spec.releases));
  if (!valid_name(version)) {
    return fail(
        fmt::format("\"{}\" is not a version: letters, digits, '.', '_' and '-' only, the first a letter or "
                    "digit",
                    version.substr(0, 80)));
  }
  const std::string path = spec.releases + "/" + version;
  std::error_code error;
  if (!std::filesystem::is_directory(path, error)) {
    return fail(fmt::format("release {} is missing: {} is not a directory", version, path));
  }
  return path;
}

bool mentions(const ProcessSpec& spec, std::string_view placeholder) {
  const auto in = [&](const std::string& text) { return text.find(placeholder) != std::string::npos; };
  return in(spec.cwd) || std::ranges::any_of(spec.command, in) ||
         std::ranges::any_of(spec.env, [&](const auto& entry) { return in(entry.second); });
}

}  // namespace

bool valid_name(std::string_view name) {
  const auto alphanumeric = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  const auto allowed = [&](char c) { return alphanumeric(c) || c == '.' || c == '_' || c == '-'; };
  if (name.empty() || name.size() > 128 || name.front() == '.' || name.front() == '-') return false;
  return std::ranges::all_of(name, allowed);
}

std::string to_text(const StartTag& tag) {
  return fmt::format("command={}.{} port={} version={}", tag.command.epoch, tag.command.counter, tag.port, tag.version);
}

std::optional<StartTag> parse_tag(std::string_view text) {
  StartTag tag;
  constexpr std::string_view kVersion = " version=";
  if (!take(text, "command=", tag.command.epoch) || !take(text, ".", tag.command.counter) ||
      !take(text, " port=", tag.port) || !text.starts_with(kVersion)) {
    return std::nullopt;
  }
  tag.version = text.substr(kVersion.size());
  if (!tag.version.empty() && !valid_name(tag.version)) return std::nullopt;
  return tag;
}

std::expected<os::ChildSpec, Error> child_of(const ProcessSpec& spec, const Launch& launch) {
  const auto release = release_path(spec, launch.tag.version);
  if (!release) return std::unexpected(release.error());
  Values values{{"instance", std::to_string(launch.slot)}};
  os::ChildSpec child;
  std::vector<std::pair<std::string, std::string>> env{{"HOMEOSTAT_SERVICE", launch.service},
                                                       {"HOMEOSTAT_INSTANCE", values.front().second}};
  if (launch.tag.port != 0) {
    values.emplace_back("port", std::to_string(launch.tag.port));
    env.emplace_back("HOMEOSTAT_PORT", values.back().second);
  } else if (mentions(spec, "{port}")) {
    return fail("the command uses {port}, but `ports` is not set");
  }
  if (!release->empty()) {
    values.emplace_back("release", *release);
    env.emplace_back("HOMEOSTAT_RELEASE", *release);
  } else if (mentions(spec, "{release}")) {
    return fail("the command uses {release}, but `releases` is not set");
  }
  for (const std::string& argument : spec.command) child.argv.push_back(fill(argument, values));
  for (const auto& [name, value] : spec.env) child.env.emplace_back(name, fill(value, values));
  child.env.insert(child.env.end(), env.begin(), env.end());  // the later one counts: ours cannot be overridden
  child.cwd = fill(spec.cwd, values);
  child.user = spec.user;
  child.limits = spec.limits;
  return child;
}

}  // namespace homeostat::runtime
