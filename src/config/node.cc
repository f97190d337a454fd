#include "config/node.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <utility>

#include "core/text.hpp"

namespace homeostat::config {
namespace {

constexpr std::size_t kMostSaid = 200;

Position position(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return {static_cast<std::uint32_t>(mark.line + 1), static_cast<std::uint32_t>(mark.column + 1)};
}

/// Leaves the parser at the first limit exceeded; what was found until then is reported.
struct Stop {};

/// Builds the tree from the parser's events, so that a limit is noticed before memory is spent on what lies beyond it.
class Builder final : public YAML::EventHandler {
 public:
  Builder(const std::string& file, std::vector<Problem>& problems) : file_(file), problems_(problems) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0) stop(position(mark), "a second document begins here; a configuration is one document");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { add(make(mark, Node::Kind::null, {}, anchor)); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    problem(position(mark), "aliases (`*name`) are not supported; write the value out");
    add(make(mark, Node::Kind::null, {}, 0));
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Node node = make(mark, Node::Kind::scalar, tag, anchor);
    node.text = value;
    node.quoted = tag == "!";
    add(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(make(mark, Node::Kind::list, tag, anchor));
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(make(mark, Node::Kind::map, tag, anchor));
  }
  void OnMapEnd() override { close(); }

  Node take() { return std::move(root_); }
  void problem(Position at, std::string text) {
    problems_.push_back({file_, at.line, at.column, std::move(text), {}});
    if (problems_.size() >= 100) throw Stop{};
  }

 private:
  struct Frame {
    Node node;
    std::optional<Key> key;  // of a map: the key whose value comes next
    std::set<std::string, std::less<>> seen;
  };

  [[noreturn]] void stop(Position at, std::string text) {
    problems_.push_back({file_, at.line, at.column, std::move(text), {}});
    throw Stop{};
  }

  Node make(const YAML::Mark& mark, Node::Kind kind, const std::string& tag, YAML::anchor_t anchor) {
    const Position at = position(mark);
    if (++nodes_ > kMaxNodes) stop(at, fmt::format("more than {} values; split the configuration", kMaxNodes));
    if (anchor != 0) problem(at, "anchors (`&name`) are not supported; write the value out");
    if (!tag.empty() && tag != "?" && tag != "!") problem(at, fmt::format("tags are not supported: {}", quote(tag)));
    Node node;
    node.kind = kind;
    node.at = at;
    return node;
  }

  void open(Node node) {
    if (stack_.size() >= kMaxDepth) stop(node.at, fmt::format("nested more than {} deep", kMaxDepth));
    stack_.push_back({std::move(node), {}, {}});
  }

  void close() {
    Node node = std::move(stack_.back().node);
    stack_.pop_back();
    add(std::move(node));
  }

  void add(Node node) {
    if (stack_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& frame = stack_.back();
    if (frame.node.is_list()) {
      frame.node.items.push_back(std::move(node));
    } else if (!frame.key) {
      add_key(frame, node);
    } else {
      if (node.is_null()) node.at = frame.key->at;  // the parser's position for "nothing" is wherever it went on
      frame.node.keys.push_back(*std::exchange(frame.key, std::nullopt));
      frame.node.items.push_back(std::move(node));
    }
  }

  void add_key(Frame& frame, Node& node) {
    if (!node.is_scalar()) problem(node.at, "a key must be a plain word");
    if (node.text == "<<" && !node.quoted) problem(node.at, "merge keys (`<<`) are not supported; write the keys out");
    if (!frame.seen.insert(node.text).second) problem(node.at, fmt::format("{} is given twice", quote(node.text)));
    frame.key = Key{std::move(node.text), node.at};
  }

  const std::string& file_;
  std::vector<Problem>& problems_;
  std::vector<Frame> stack_;
  Node root_;
  std::size_t nodes_ = 0;
  int documents_ = 0;
};

/// The first byte that is not part of valid UTF-8 text, or a control character; npos: there is none.
std::size_t find_bad_byte(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    const bool control = (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f;
    const std::size_t length = utf8_length(text.substr(i));
    if (control || length == 0) return i;
    i += length;
  }
  return std::string_view::npos;
}

Position position_of(std::string_view text, std::size_t offset) {
  Position at;
  for (const char c : text.substr(0, offset)) {
    at.column = c == '\n' ? 1 : at.column + 1;
    if (c == '\n') ++at.line;
  }
  return at;
}

/// The parser reads ahead: beyond the end of a line there is nothing to point to.
Position within(std::string_view text, Position at) {
  std::string_view rest = text;
  for (std::uint32_t line = 1; line < at.line; ++line) {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) return position_of(text, text.size());
    rest.remove_prefix(end + 1);
  }
  const std::size_t length = std::min(rest.find('\n'), rest.size());
  return {at.line, std::min(at.column, static_cast<std::uint32_t>(length + 1))};
}

}  // namespace

const Node* Node::find(std::string_view key) const {
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (keys[i].text == key) return &items[i];
  }
  return nullptr;
}

Position Node::where(std::string_view key) const {
  const Node* value = find(key);
  return value != nullptr ? value->at : at;
}

std::optional<Node> parse_yaml(std::string_view text, const std::string& file, std::vector<Problem>& problems) {
  const std::size_t before = problems.size();
  Builder builder(file, problems);
  try {
    if (text.size() > kMaxBytes) {
      problems.push_back({file, 0, 0, fmt::format("larger than {} MiB", kMaxBytes >> 20), {}});
      return std::nullopt;
    }
    if (const std::size_t bad = find_bad_byte(text); bad != std::string_view::npos) {
      builder.problem(position_of(text, bad), "not UTF-8 text, or a control character");
      return std::nullopt;
    }
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Stop&) {
    // Already reported.
  } catch (const YAML::Exception& error) {
    const Position at = within(text, position(error.mark));
    problems.push_back({file, at.line, at.column, "not valid YAML: " + printable(error.msg, kMostSaid), {}});
  } catch (const std::exception& error) {
    problems.push_back({file, 0, 0, "not valid YAML: " + printable(error.what(), kMostSaid), {}});
  }
  if (problems.size() > before) return std::nullopt;
  return builder.take();
}

}  // namespace homeostat::config
