#include <fmt/format.h>
#include <fmt/ranges.h>

#include "config/json.hpp"
#include "config/reference.hpp"

namespace homeostat::config {
namespace {

std::string property(const FieldInfo& field) {
  std::string out = fmt::format(R"({}:{{"description":{})", json_string(field.key), json_string(field.facts.text));
  if (!field.facts.fallback.empty()) out += ",\"default\":" + to_json(parse_default(field.facts.fallback));
  if (!field.facts.example.empty()) out += ",\"examples\":[" + to_json(parse_default(field.facts.example)) + "]";
  return out + "," + field.shape.schema.substr(1);
}

std::string object(const Section& section) {
  std::vector<std::string> properties, required, kinds;
  for (const FieldInfo& field : section.fields) {
    properties.push_back(property(field));
    if (field.facts.required) required.push_back(json_string(field.key));
    if (field.kind) kinds.push_back(fmt::format(R"({{"required":[{}]}})", json_string(field.key)));
  }
  // A section in which nothing must be said may be left empty.
  const std::string_view type = required.empty() && kinds.empty() ? R"(["object","null"])" : R"("object")";
  std::string out = fmt::format("{{\"type\":{},\"additionalProperties\":false,\"properties\":{{\n      {}}}", type,
                                fmt::join(properties, ",\n      "));
  if (!required.empty()) out += fmt::format(R"(,"required":[{}])", fmt::join(required, ","));
  if (!kinds.empty()) out += fmt::format(R"(,"oneOf":[{}])", fmt::join(kinds, ","));
  return out + "}";
}

/// The object, or what may be written in its place.
std::string definition(const Section& section) {
  std::vector<std::string> forms{object(section)};
  std::vector<std::string> words;
  for (const FieldInfo& field : section.fields) {
    if (field.key == section.shorthand) forms.push_back(field.shape.schema);
    if (section.lone_word && field.kind) words.push_back(json_string(field.key));
  }
  if (!words.empty()) forms.push_back(fmt::format(R"({{"enum":[{}]}})", fmt::join(words, ",")));
  if (forms.size() > 1) forms = {fmt::format(R"({{"anyOf":[{}]}})", fmt::join(forms, ","))};
  return fmt::format(R"({{"description":{},{})", json_string(section.text), forms.front().substr(1));
}

}  // namespace

std::string schema() {
  std::vector<std::string> definitions;
  for (const Section* section : sections()) {
    definitions.push_back(fmt::format("    {}:{}", json_string(section->name), definition(*section)));
  }
  return fmt::format(R"({{
  "$schema":"https://json-schema.org/draft/2020-12/schema",
  "title":"Homeostat configuration",
  "$ref":"#/$defs/{}",
  "$defs":{{
{}
  }}
}}
)",
                     sections().front()->name, fmt::join(definitions, ",\n"));
}

}  // namespace homeostat::config
