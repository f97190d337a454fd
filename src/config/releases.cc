#include "config/releases.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "config/value.hpp"

namespace homeostat::config {
namespace {

bool is_version(std::string_view text) {
  return !text.empty() && text.size() <= 64 && text.front() != '.' && text.front() != '-' &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '-' || c == '_';
         });
}

void check_version(const std::string& version, Position at, Reader& reader) {
  if (is_version(version)) return;
  reader.problem(at, fmt::format("{} is no version: up to 64 of A-Z a-z 0-9 . _ -, neither a dot nor a dash first",
                                 quote(version)));
}

}  // namespace

Type<std::string> version_type() {
  return {{"version", text_type().shape.schema}, [](const Node& node, Reader& reader, std::string& out) {
            const std::size_t before = reader.found();
            text_type().read(node, reader, out);
            if (reader.found() == before) check_version(out, node.at, reader);
          }};
}

std::string releases_of(const runtime::Spec& spec) {
  if (const auto* process = std::get_if<runtime::ProcessSpec>(&spec)) return process->releases;
  const auto* kept = std::get_if<runtime::KeptSpec>(&spec);
  return kept == nullptr ? std::string() : kept->releases;
}

void check_releases(const std::string& releases, const std::string& release, const Node& node, Reader& reader) {
  if (!releases.empty() && release.empty()) {
    reader.problem(node.where("releases"), "with `releases`, the version to begin with is needed: `release: NAME`");
  }
  if (!release.empty() && releases.empty()) {
    reader.problem(node.where("release"), "`release` means nothing without `releases`");
  }
  if (!release.empty()) check_version(release, node.where("release"), reader);
}

}  // namespace homeostat::config
