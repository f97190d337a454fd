#include "config/types.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>

#include "config/file.hpp"
#include "config/secret_names.hpp"

namespace homeostat::config {
namespace {

constexpr std::size_t kLongestText = 64 << 10;
constexpr std::string_view kWord = R"({"type":["string","number","boolean"]})";

/// A lone value without control characters other than tab and, when allowed, line ends.
bool read_text(const Node& node, Reader& reader, std::string& out, bool lines = false) {
  if (!node.is_scalar()) {
    reader.problem(node.at, node.is_null() ? "a value is missing here" : "a single value is needed here");
    return false;
  }
  if (node.text.size() > kLongestText) {
    reader.problem(node.at, fmt::format("longer than {} bytes", kLongestText));
    return false;
  }
  for (const char c : node.text) {
    const bool allowed = c == '\t' || (lines && (c == '\n' || c == '\r'));
    if ((static_cast<unsigned char>(c) < 0x20 && !allowed) || c == 0x7f) {
      reader.problem(node.at, "line ends and control characters cannot be part of this value");
      return false;
    }
  }
  out = node.text;
  return true;
}

/// A value that `parse` makes of one word; what it refuses is reported as "`x` is not WHAT".
template <class T, class Parse>
Type<T> parsed_type(std::string name, std::string schema, std::string what, Parse parse) {
  return {{std::move(name), std::move(schema)}, [what, parse](const Node& node, Reader& reader, T& out) {
            std::string text;
            if (!read_text(node, reader, text)) return;
            if (const auto value = parse(text)) {
              out = static_cast<T>(*value);
            } else {
              reader.problem(node.at, fmt::format("{} is not {}", quote(text), what));
            }
          }};
}

void read_secret(const Node& node, Reader& reader, SecretText& out) {
  if (!node.is_map()) {
    if (read_text(node, reader, out.value)) out.source = out.value;
    return;
  }
  const Node* file = node.find("file");
  if (file == nullptr || node.keys.size() != 1)
    return reader.problem(node.at, "a text or { file: path } is needed here");
  std::string path;
  if (!read_text(*file, reader, path)) return;
  path = reader.absolute(path);
  auto content = read_file(path, kLongestText);
  if (!content) return reader.problem(file->at, content.error().text);
  while (content->ends_with('\n') || content->ends_with('\r')) content->pop_back();
  for (const char c : *content) {
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f) {
      return reader.problem(file->at, quote(path) + " holds more than one line, or control characters");
    }
  }
  out = {std::move(*content), "file " + path};
}

constexpr std::size_t kLongPath = 16;  // what is shorter is no secret, but a word
constexpr std::size_t kLongWord = 6;   // of what stands in the configuration itself
constexpr std::size_t kLongValue = 8;  // of a cookie

// What lets one in is the password before the host, whatever the address is called.
void keep_password(std::string_view text, Reader& reader) {
  const std::size_t scheme = text.find("://");
  if (scheme == std::string_view::npos) return;
  const std::string_view rest = text.substr(scheme + 3);
  const std::string_view host = rest.substr(0, rest.find('/'));
  const std::string_view person = host.substr(0, std::min(host.rfind('@'), host.size()));
  const std::size_t colon = person.find(':');
  if (person.size() < host.size() && colon != std::string_view::npos) reader.keep_secret(person.substr(colon + 1));
}

// … and where the address itself is a secret, what follows the host, or the name before it.
void keep_address(std::string_view text, Reader& reader) {
  keep_password(text, reader);
  std::string_view rest = text.substr(text.find("://") + 3);
  const std::string_view host = rest.substr(0, rest.find('/'));
  if (const std::size_t at = host.rfind('@'); at != std::string_view::npos && host.find(':') > at) {
    reader.keep_secret(host.substr(0, at));
  }
  rest.remove_prefix(std::min(host.size() + 1, rest.size()));
  if (rest.size() >= kLongPath) reader.keep_secret(rest);
}

void keep_secret(std::string_view text, Reader& reader) {
  reader.keep_secret(text);
  if (text.find("://") != std::string_view::npos) keep_address(text, reader);
}

// As a whole, and what is in it: the second word of "Bearer opensesame", the values of cookies.
void keep_header(std::string_view name, std::string_view text, Reader& reader) {
  reader.keep_secret(text);
  if (!name.contains("cookie")) {
    const std::string_view word = text.substr(std::min(text.find(' '), text.size() - 1) + 1);
    return word.size() < kLongWord ? void() : reader.keep_secret(word);
  }
  for (const std::string_view pair : split(text, ";")) {
    const std::string_view value = pair.substr(std::min(pair.find('='), pair.size() - 1) + 1);
    if (value.size() >= kLongValue) reader.keep_secret(value);
  }
}

// What a file of its own holds is one; of what stands in the configuration, what is called so.
bool is_secret(std::string_view name, const SecretText& text) {
  return text.source != text.value || (text.value.size() >= kLongWord && is_secret_name(name));
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

}  // namespace

Type<std::string> text_type() {
  return {{"text", std::string(kWord)}, [](const Node& node, Reader& reader, std::string& out) {
            if (read_text(node, reader, out, true) && out.empty())
              reader.problem(node.at, "an empty text means nothing here");
          }};
}

Type<std::string> path_type() {
  return {{"path", R"({"type":"string"})"}, [](const Node& node, Reader& reader, std::string& out) {
            std::string text;
            if (!read_text(node, reader, text)) return;
            if (text.empty()) return reader.problem(node.at, "an empty path means nothing");
            out = reader.absolute(text);
          }};
}

Type<std::string> name_type(std::string what) {
  return {{std::move(what), R"({"type":"string"})"}, [](const Node& node, Reader& reader, std::string& out) {
            if (read_text(node, reader, out) && out.empty()) reader.problem(node.at, "a name is missing here");
          }};
}

Type<bool> bool_type() {
  return {{"true or false", R"({"type":"boolean"})"}, [](const Node& node, Reader& reader, bool& out) {
            if (node.is_scalar() && (node.text == "true" || node.text == "false")) {
              out = node.text == "true";
            } else {
              reader.problem(node.at, "true or false is needed here");
            }
          }};
}

Type<Duration> duration_type(Duration least) {
  const std::string schema = R"({"type":["string","number"],"pattern":"^(0|([0-9]+(y|w|d|h|ms|m|s))+)$"})";
  const std::string what = fmt::format("a span of time of at least {} (write `150ms`, `5s`, `1h30m`)",
                                       least.count() == 0 ? "0s" : show_duration(least));
  return parsed_type<Duration>("duration", schema, what, [least](std::string_view text) {
    auto span = parse_duration(text);
    return span && *span >= least ? span : std::nullopt;
  });
}

Type<std::uint64_t> size_type() {
  return parsed_type<std::uint64_t>("size",
                                    R"({"type":["string","number"],"pattern":"^[0-9]+(B|kB|KiB|MB|MiB|GB|GiB)?$"})",
                                    "a size (write `512KiB`, `10MiB`)", parse_size);
}

Type<std::uint32_t> count_type(std::uint32_t least, std::uint32_t most) {
  return parsed_type<std::uint32_t>(
      "number", fmt::format(R"({{"type":"integer","minimum":{},"maximum":{}}})", least, most),
      fmt::format("a whole number from {} to {}", least, most), [least, most](std::string_view text) {
        const auto count = parse_count(text, most);
        return count && *count >= least ? count : std::nullopt;
      });
}

Type<std::uint32_t> percent_type() {
  return parsed_type<std::uint32_t>("percent", R"({"type":"string","pattern":"^[0-9]+%$"})",
                                    "a share from `1%` to `100%`", parse_percent);
}

Type<std::int64_t> ratio_type() {
  return parsed_type<std::int64_t>("ratio", R"({"type":["string","number"],"pattern":"^[0-9]+([.][0-9]+)?%?$"})",
                                   "a ratio from 0 to 1000 (write `110%` or `1.1`)",
                                   [](std::string_view text) -> std::optional<std::int64_t> {
                                     const bool percent = text.ends_with('%');
                                     if (percent) text.remove_suffix(1);
                                     const auto ratio = parse_decimal(text, percent ? 4 : 6);
                                     return ratio && *ratio <= 1000'000'000 ? ratio : std::nullopt;
                                   });
}

Type<std::int64_t> decimal_type() {
  return parsed_type<std::int64_t>("decimal number", R"({"type":["string","number"],"pattern":"^[0-9]+([.][0-9]+)?$"})",
                                   "a number from 0 with at most three decimals",
                                   [](std::string_view text) { return parse_decimal(text, 3); });
}

Type<Range> port_range_type() {
  return parsed_type<Range>("port or ports", R"({"type":["string","integer"],"pattern":"^[0-9]+(-[0-9]+)?$"})",
                            "a port or a range of ports from 1 to 65535 (write `9001` or `9001-9012`)",
                            [](std::string_view text) { return parse_range(text, 1, 65535); });
}

Type<engine::Share> share_type() {
  return parsed_type<engine::Share>(
      "number or percent", R"({"type":["string","integer"],"pattern":"^[0-9]+%$","minimum":1})",
      "a number from 1 or a share from `1%` to `100%`", [](std::string_view text) -> std::optional<engine::Share> {
        if (const auto percent = parse_percent(text)) return engine::Share{0, *percent};
        const auto count = parse_count(text, 100'000);
        if (!count || *count == 0) return std::nullopt;
        return engine::Share{static_cast<std::uint32_t>(*count), 0};
      });
}

Type<std::vector<std::string>> argv_type() {
  const std::string schema = fmt::format(R"({{"type":"array","minItems":1,"items":{}}})", kWord);
  return {{"list of arguments", schema}, [](const Node& node, Reader& reader, std::vector<std::string>& out) {
            if (!node.is_list()) {
              return reader.problem(node.at,
                                    "a list of arguments is needed here: [/usr/bin/program, argument]; it never "
                                    "goes through a shell");
            }
            std::vector<std::string> argv;
            for (const Node& item : node.items) {
              read_text(item, reader, argv.emplace_back(), true);
              keep_password(argv.back(), reader);
            }
            if (argv.empty() || argv.front().empty()) return reader.problem(node.at, "the program to run is missing");
            out = std::move(argv);
          }};
}

Type<std::vector<std::string>> names_type(std::string what) {
  Type<std::vector<std::string>> type = list_type(name_type(what));
  type.shape.name = "list of " + what + "s";
  return type;
}

Type<SecretText> secret_type() {
  return {{"text or { file: path }",
           fmt::format(R"({{"anyOf":[{},{{"type":"object","required":["file"],"additionalProperties":false,)"
                       R"("properties":{{"file":{{"type":"string"}}}}}}]}})",
                       kWord)},
          [](const Node& node, Reader& reader, SecretText& out) {
            const std::size_t before = reader.found();
            read_secret(node, reader, out);
            if (out.value.empty() && reader.found() == before)
              reader.problem(node.at,
                             out.source.empty() ? "an empty text means nothing here" : out.source + " is empty");
            keep_secret(out.value, reader);
          }};
}

Type<Pairs> secrets_type(std::string name_what) {
  const std::string item = secret_type().shape.schema;
  const Shape shape{"map of texts", fmt::format(R"({{"type":"object","additionalProperties":{}}})", item)};
  return {shape, [name_what](const Node& node, Reader& reader, Pairs& out) {
            if (!node.is_map()) return reader.problem(node.at, "a map is needed here: { NAME: text }");
            out.clear();
            for (std::size_t i = 0; i < node.keys.size(); ++i) {
              const std::string& name = node.keys[i].text;
              const bool bad =
                  name.empty() || std::any_of(name.begin(), name.end(), [](char c) {
                    return !(std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.');
                  });
              if (bad) reader.problem(node.keys[i].at, fmt::format("{} is no name of a {}", quote(name), name_what));
              out.emplace_back(name, SecretText{});
              SecretText& text = out.back().second;
              read_secret(node.items[i], reader, text);
              if (!is_secret(name, text)) {
                keep_password(text.value, reader);
                continue;
              }
              name_what == "header" ? keep_header(lower(name), text.value, reader) : keep_secret(text.value, reader);
            }
          }};
}

}  // namespace homeostat::config
