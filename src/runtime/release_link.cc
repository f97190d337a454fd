#include "runtime/release_link.hpp"

#include <fmt/core.h>

#include <filesystem>

#include "runtime/launch.hpp"

namespace homeostat::runtime {

namespace fs = std::filesystem;

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
