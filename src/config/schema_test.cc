// The schema says what the reader says: a small validator of JSON Schema, on trees.
#include <gtest/gtest.h>
#include <re2/re2.h>

#include "config/json.hpp"
#include "config/reference.hpp"
#include "config/value.hpp"

namespace homeostat::config {
namespace {

Node tree(const std::string& text) {
  std::vector<Problem> problems;
  auto node = parse_yaml(text, "text", problems);
  if (!node) {
    ADD_FAILURE() << render(problems.at(0));
    return {};
  }
  return std::move(*node);
}

std::string type_of(const Node& node) {
  if (node.is_null()) return "null";
  if (node.is_list()) return "array";
  if (node.is_map()) return "object";
  const std::string json = to_json(node);
  return json.front() == '"' ? "string" : json == "true" || json == "false" ? "boolean" : "integer";
}

bool has_type(const Node& node, const Node& wanted) {
  if (wanted.is_list()) {
    for (const Node& one : wanted.items) {
      if (has_type(node, one)) return true;
    }
    return false;
  }
  return type_of(node) == wanted.text || (wanted.text == "number" && type_of(node) == "integer");
}

class Validator {
 public:
  explicit Validator(const Node& root) : root_(root) {}

  bool fits(const Node& node, const Node& schema) const {
    for (std::size_t i = 0; i < schema.keys.size(); ++i) {
      if (!holds(node, schema, schema.keys[i].text, schema.items[i])) return false;
    }
    return true;
  }

 private:
  bool holds(const Node& node, const Node& schema, const std::string& key, const Node& value) const {
    if (key == "$ref") return fits(node, *root_.find("$defs")->find(value.text.substr(8)));
    if (key == "type") return has_type(node, value);
    if (key == "anyOf") return count(node, value) >= 1;
    if (key == "oneOf") return count(node, value) == 1;
    if (key == "enum") {
      for (const Node& one : value.items) {
        if (one.text == node.text) return true;
      }
      return false;
    }
    if (node.is_scalar()) return holds_scalar(node, key, value);
    if (key == "items") {
      for (const Node& item : node.items) {
        if (!fits(item, value)) return false;
      }
    }
    if (key == "minItems") return node.items.size() >= std::stoul(value.text);
    if (key == "required") {
      for (const Node& name : value.items) {
        if (node.is_map() && node.find(name.text) == nullptr) return false;
      }
    }
    if (key == "properties" || key == "additionalProperties")
      return holds_properties(node, schema, key == "properties");
    return true;
  }

  bool holds_properties(const Node& node, const Node& schema, bool named) const {
    for (std::size_t i = 0; i < node.keys.size(); ++i) {
      const Node* properties = schema.find("properties");
      const Node* own = properties != nullptr ? properties->find(node.keys[i].text) : nullptr;
      if (named ? own != nullptr && !fits(node.items[i], *own) : own == nullptr && !fits_other(node.items[i], schema))
        return false;
    }
    return true;
  }

  bool fits_other(const Node& item, const Node& schema) const {
    const Node& other = *schema.find("additionalProperties");
    return other.text != "false" && fits(item, other);
  }

  static bool holds_scalar(const Node& node, const std::string& key, const Node& value) {
    const bool text = type_of(node) == "string";
    if (key == "pattern" && text) return RE2::PartialMatch(node.text, value.text);
    if (key == "minimum" && !text) return std::stoll(node.text) >= std::stoll(value.text);
    if (key == "maximum" && !text) return std::stoll(node.text) <= std::stoll(value.text);
    return true;
  }

  std::size_t count(const Node& node, const Node& schemas) const {
    std::size_t sum = 0;
    for (const Node& one : schemas.items) sum += fits(node, one) ? 1 : 0;
    return sum;
  }

  const Node& root_;
};

TEST(Schema, AcceptsTheExamplesOfThePage) {
  const Node root = tree(schema());
  const std::string page = reference();
  int examples = 0;
  for (std::size_t at = page.find("```yaml\n"); at != std::string::npos; at = page.find("```yaml\n", at + 1)) {
    EXPECT_TRUE(Validator(root).fits(tree(page.substr(at + 8, page.find("```", at + 8) - at - 8)), root));
    ++examples;
  }
  EXPECT_EQ(examples, 2);
}

TEST(Schema, AcceptsTheExampleAndTheDefaultOfEveryField) {
  const Node root = tree(schema());
  for (const Section* section : sections()) {
    for (const FieldInfo& field : section->fields) {
      const Node shape = tree(field.shape.schema);
      for (const std::string_view text : {field.facts.example, field.facts.fallback}) {
        if (text.empty()) continue;
        EXPECT_TRUE(Validator(root).fits(parse_default(text), shape))
            << section->name << "." << field.key << ": " << text;
      }
    }
  }
}

TEST(Schema, RefusesWhatTheReaderRefuses) {
  const Node root = tree(schema());
  const auto fits = [&](const std::string& service) {
    return Validator(root).fits(tree("homeostat: 1\nservices: { a: " + service + " }\n"), root);
  };
  const std::string run = "run: { process: { command: [x] } }";
  EXPECT_TRUE(fits("{ " + run + " }"));
  EXPECT_TRUE(fits("{ " + run + ", remediation: [restart, escalate] }"));
  EXPECT_TRUE(fits("{ checks: { c: { tcp: { port: 80 } } } }"));  // not ours: only looked at
  EXPECT_FALSE(fits("{ run: { } }"));
  EXPECT_FALSE(fits("{ " + run + ", depends_on: [{ hart: a }] }"));
  EXPECT_FALSE(fits("{ " + run + ", intsances: 2 }"));
  EXPECT_FALSE(fits("{ " + run + ", instances: -1 }"));
  EXPECT_FALSE(fits("{ " + run + ", stable_after: soon }"));
  EXPECT_FALSE(fits("{ " + run + ", checks: { c: { } } }"));
  EXPECT_FALSE(fits("{ " + run + ", checks: { c: { process: {}, file: /x } } }"));
  EXPECT_FALSE(fits("{ run: { dockers: {} } }"));
}

}  // namespace
}  // namespace homeostat::config
