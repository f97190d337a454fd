#include "config/secret_names.hpp"

#include <algorithm>
#include <cctype>
#include <span>
#include <string>

namespace homeostat::config {
namespace {

using Words = std::span<const std::string_view>;

constexpr std::string_view kEnds[] = {"password", "passwd", "passphrase", "token",      "secret",
                                      "apikey",   "cookie", "cred",       "credential", "authorization"};
constexpr std::string_view kLast[] = {"auth", "pass"};
constexpr std::string_view kNotOne[] = {"compass", "bypass"};
// Keys that open nothing.
constexpr std::string_view kOpenKeys[] = {"routing", "sort", "partition", "public", "foreign", "hot",
                                          "cache",   "hash", "shard",     "group",  "object",  "index"};
// Last words of what is said about one.
constexpr std::string_view kAbout[] = {"file",   "path",     "url",     "uri",      "host",      "name",     "id",
                                       "ttl",    "domain",   "env",     "type",     "issuer",    "audience", "scope",
                                       "scopes", "header",   "expiry",  "expires",  "lifetime",  "age",      "length",
                                       "size",   "samesite", "secure",  "httponly", "algorithm", "alg",      "mode",
                                       "format", "prefix",   "enabled", "required"};
// Last words that say which of several it is.
constexpr std::string_view kWhich[] = {"prod", "production", "staging", "stage", "dev", "test",
                                       "live", "old",        "new",     "eu",    "us",  "v"};

bool is_in(std::string_view word, Words list) { return std::ranges::find(list, word) != list.end(); }

bool ends_in(std::string_view word, Words ends) {
  return std::ranges::any_of(ends, [&](std::string_view end) { return word.ends_with(end); });
}

// Without the numbers behind its words, and without last words that only say which.
std::vector<std::string_view> words_of(std::string_view name) {
  std::vector<std::string_view> words = split(name, "-_.");
  for (std::string_view& word : words) {
    while (!word.empty() && std::isdigit(static_cast<unsigned char>(word.back()))) word.remove_suffix(1);
  }
  std::erase(words, std::string_view());
  while (words.size() > 1 && is_in(words.back(), kWhich)) words.pop_back();
  return words;
}

bool is_key(Words words) {
  std::string_view kind = words.back();
  if (!kind.ends_with("key")) return false;
  kind.remove_suffix(3);
  if (kind.empty() && words.size() > 1) kind = words[words.size() - 2];
  return !is_in(kind, kOpenKeys);
}

}  // namespace

std::vector<std::string_view> split(std::string_view text, std::string_view at) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(at), text.size());
    parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

bool is_secret_name(std::string_view name) {
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const std::vector<std::string_view> words = words_of(lower);
  if (words.empty()) return false;
  const std::string_view last = words.back();
  // What an AppRole calls its secret_id is one.
  if (last == "id" && words.size() > 1 && words[words.size() - 2] == "secret") return true;
  if (is_in(last, kAbout)) return false;
  if (last == "pwd") return words.size() > 1;  // by itself it is a directory
  if (is_key(words) || (ends_in(last, kLast) && !ends_in(last, kNotOne))) return true;
  return std::ranges::any_of(words, [](std::string_view word) {
    if (word.ends_with('s')) word.remove_suffix(1);  // several, or one that ends so anyway
    return ends_in(word, kEnds);
  });
}

}  // namespace homeostat::config
