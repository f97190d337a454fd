#include "tree.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>

namespace tidy {
namespace {

namespace fs = std::filesystem;

bool is_text(const fs::path& path) {
  static constexpr std::array<std::string_view, 13> kEndings{
      ".cc", ".hpp", ".md", ".txt", ".cmake", ".sh", ".yml", ".yaml", ".service", ".ts", ".json", ".scn", ""};
  return std::ranges::find(kEndings, path.extension().string()) != kEndings.end();
}

bool is_ours(const fs::path& path) {
  const std::string name = path.filename();
  return name != "build" && name != "LICENSE" && (!name.starts_with(".") || name == ".ci");
}

File read(const fs::path& path) {
  File file{fs::relative(path, HOMEOSTAT_SOURCE_DIR), {}};
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) file.lines.push_back(line);
  return file;
}

std::vector<File> read_tree() {
  std::vector<File> files;
  fs::recursive_directory_iterator at(HOMEOSTAT_SOURCE_DIR);
  for (; at != fs::recursive_directory_iterator(); ++at) {
    if (!is_ours(at->path())) {
      if (at->is_directory()) at.disable_recursion_pending();
    } else if (at->is_regular_file() && is_text(at->path())) {
      files.push_back(read(at->path()));
    }
  }
  std::ranges::sort(files, {}, &File::path);
  return files;
}

}  // namespace

std::string File::room() const {
  if (path.starts_with("include/")) return "include";
  if (!path.starts_with("src/")) return "";
  return path.substr(4, path.find('/', 4) - 4);
}

std::string File::text() const {
  std::string all;
  for (const std::string& line : lines) all += line + '\n';
  return all;
}

const std::vector<File>& tree() {
  static const std::vector<File> files = read_tree();
  return files;
}

std::size_t columns(std::string_view line) {
  return static_cast<std::size_t>(
      std::ranges::count_if(line, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

}  // namespace tidy
