#include "journal/pins.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "journal/files.hpp"

namespace homeostat::journal {
namespace {

constexpr std::string_view kSuffix = ".pin";
constexpr std::size_t kMaxPinFiles = 10'000;

}  // namespace

bool is_pin_name(const std::string& name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  };
  return !name.empty() && name.size() <= 100 && name[0] != '.' && std::all_of(name.begin(), name.end(), allowed);
}

std::vector<Pin> load_pins(const std::filesystem::path& dir) {
  std::vector<Pin> pins;
  std::error_code bad;
  for (std::filesystem::directory_iterator file(dir, bad), end; !bad && file != end; file.increment(bad)) {
    if (file->path().extension() != kSuffix || pins.size() >= kMaxPinFiles) continue;
    const std::string text = read_file(file->path(), 256).value_or("");
    char* rest = nullptr;
    const std::int64_t from = std::strtoll(text.c_str(), &rest, 10);
    if (rest == text.c_str() || *rest != ' ') continue;
    const std::int64_t to = std::strtoll(rest + 1, &rest, 10);
    if (*rest != '\n') continue;
    const std::string name = file->path().stem().string();
    if (is_pin_name(name)) pins.push_back({.name = name, .from = Instant(Duration(from)), .to = Instant(Duration(to))});
  }
  std::sort(pins.begin(), pins.end(),
            [](const Pin& a, const Pin& b) { return a.from != b.from ? a.from < b.from : a.name < b.name; });
  return pins;
}

std::expected<void, Error> save_pin(const std::filesystem::path& dir, const Pin& pin) {
  const auto file = dir / (pin.name + std::string(kSuffix));
  auto fd = open_file(file, O_WRONLY | O_CREAT | O_TRUNC);
  if (!fd) return std::unexpected(fd.error());
  return write_at(fd->get(),
                  fmt::format("{} {}\n", pin.from.time_since_epoch().count(), pin.to.time_since_epoch().count()), 0,
                  file);
}

void remove_pin(const std::filesystem::path& dir, const std::string& name) {
  ::unlink((dir / (name + std::string(kSuffix))).c_str());
}

}  // namespace homeostat::journal
