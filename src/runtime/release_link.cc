#include "runtime/release_link.hpp"

#include <fmt/core.h>

#include <filesystem>

#include "runtime/launch.hpp"

namespace homeostat::runtime {

namespace fs = std::filesystem;

namespace {

/// A link that leads nowhere: its text is made in one step.
std::string note_of(const std::string& link) { return link + ".homeostat-ran"; }
std::string name_of(const Incarnation& run) { return fmt::format("{:016x}{:016x}/", run.id, run.started); }

}  // namespace

std::string linked_version(const std::string& link, const std::string& releases) {
  std::error_code error;
  const fs::path to = fs::read_symlink(link, error);
  if (error) return {};
  const fs::path whole = (fs::path(link).parent_path() / to).lexically_normal();
  const std::string version = whole.filename().string();
  return whole.parent_path() == fs::path(releases).lexically_normal() && valid_name(version) ? version : std::string();
}

std::expected<void, Error> find_release(const std::string& releases, const std::string& version) {
  std::error_code error;
  if (valid_name(version) && fs::is_directory(fs::path(releases) / version, error)) return {};
  return fail(fmt::format("there is no release {} in {}", version.substr(0, 80), releases));
}

std::expected<void, Error> note_run(const std::string& link, const std::string& version, const Incarnation& run) {
  std::error_code error;
  fs::remove(note_of(link), error);
  fs::create_symlink(name_of(run) + version, note_of(link), error);
  if (error) return fail(fmt::format("cannot make the link {}: {}", note_of(link), error.message()));
  return {};
}

void forget_run(const std::string& link) {
  std::error_code error;
  fs::remove(note_of(link), error);
}

std::optional<std::string> noted_version(const std::string& link, const Incarnation& run) {
  std::error_code error;
  const std::string note = fs::read_symlink(note_of(link), error).string();
  const std::string name = name_of(run);
  if (error || run.none() || !note.starts_with(name)) return {};
  const std::string version = note.substr(name.size());
  return valid_name(version) ? version : std::string();
}

std::expected<void, Error> link_version(const std::string& link, const std::string& releases,
                                        const std::string& version) {
  if (auto found = find_release(releases, version); !found) return found;
  const fs::path folder = fs::path(releases) / version;
  std::error_code error;
  const fs::path made = link + ".homeostat-new";
  fs::remove(made, error);
  fs::create_directory_symlink(folder, made, error);
  if (!error) fs::rename(made, link, error);
  if (error) return fail(fmt::format("cannot make the link {}: {}", link, error.message()));
  return {};
}

}  // namespace homeostat::runtime
