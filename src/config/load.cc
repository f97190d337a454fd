#include "config/load.hpp"

#include "config/draft.hpp"
#include "config/file.hpp"
#include "config/resolve.hpp"
#include "config/trial.hpp"

namespace homeostat::config {

std::expected<Config, std::vector<Problem>> load_text(std::string_view text, const std::string& name) {
  std::vector<Problem> problems;
  const std::optional<Node> root = parse_yaml(text, name, problems);
  if (!root) return std::unexpected(std::move(problems));
  Reader reader(name, problems);
  FileDraft draft;
  file_table().read(*root, reader, draft);
  Config config;
  config.path = name;
  config.text = text;
  resolve(draft, *root, reader, config);
  config.secrets = reader.take_secrets();
  if (!problems.empty()) return std::unexpected(std::move(problems));
  return config;
}

std::expected<Config, std::vector<Problem>> load(const std::string& path) {
  const auto whole = [&](std::string text) {
    return std::unexpected(std::vector<Problem>{{path, 0, 0, std::move(text), {}}});
  };
  auto text = read_file(path, kMaxBytes);
  if (!text) return whole(text.error().text);
  const auto tried = try_in_child([&] { load_text(*text, path); });
  if (!tried) return whole(tried.error().text);
  return load_text(*text, path);
}

}  // namespace homeostat::config
