#include "functions.hpp"

#include <cctype>
#include <regex>

namespace tidy {
namespace {

/// Walks over a text and copies what is code, blanking the rest.
class Blanker {
 public:
  explicit Blanker(std::string_view text) : text_(text) { out_.reserve(text.size()); }

  std::string run() {
    while (at_ < text_.size()) step();
    return std::move(out_);
  }

 private:
  void step() {
    const std::string_view rest = text_.substr(at_);
    if (line_is_empty_ && rest[0] == '#') {
      preprocessor();
    } else if (rest.starts_with("//")) {
      blank(std::min(rest.find('\n'), rest.size()));
    } else if (rest.starts_with("/*")) {
      blank(std::min(rest.find("*/", 2), rest.size() - 2) + 2);
    } else if (rest.starts_with("R\"")) {
      const std::size_t open = rest.find('(');
      const std::string close = ")" + std::string(rest.substr(2, open - 2)) + "\"";
      blank(std::min(rest.find(close), rest.size() - close.size()) + close.size());
    } else if (rest[0] == '"' || (rest[0] == '\'' && !digit_separator())) {
      blank(literal(rest));
    } else {
      keep();
    }
  }

  void preprocessor() {
    std::size_t end = at_;
    do {
      end = std::min(text_.find('\n', end + 1), text_.size());
    } while (end < text_.size() && text_[end - 1] == '\\');
    blank(end - at_);
  }

  static std::size_t literal(std::string_view rest) {
    std::size_t end = 1;
    while (end < rest.size() && rest[end] != rest[0]) end += rest[end] == '\\' ? 2 : 1;
    return std::min(end + 1, rest.size());
  }

  bool digit_separator() const { return at_ > 0 && std::isxdigit(static_cast<unsigned char>(text_[at_ - 1])) != 0; }

  void blank(std::size_t count) {
    for (const std::size_t end = at_ + count; at_ < end; ++at_) out_ += text_[at_] == '\n' ? '\n' : ' ';
    line_is_empty_ = false;
  }

  void keep() {
    const char c = text_[at_++];
    out_ += c;
    if (c == '\n') line_is_empty_ = true;
    if (c != '\n' && c != ' ') line_is_empty_ = false;
  }

  std::string_view text_;
  std::string out_;
  std::size_t at_ = 0;
  bool line_is_empty_ = true;
};

enum class Brace { scope, function, other };

Brace classify(const std::string& head) {
  static const std::regex kScope(R"(^\s*(template\s*<.*>\s*)?((inline|export|static|constexpr|typedef|const)\s+)*)"
                                 R"((namespace|class|struct|union|enum|extern)\b[^()]*$)");
  static const std::regex kDerived(R"(^\s*(template\s*<.*>\s*)?(class|struct)\b[^()=]*:[^:].*$)");
  static const std::regex kInitialiser(R"(=\s*$)");
  if (std::regex_match(head, kScope) || std::regex_match(head, kDerived)) return Brace::scope;
  if (std::regex_search(head, kInitialiser) || head.find('(') == std::string::npos) return Brace::other;
  return Brace::function;
}

std::string name_of(const std::string& head) {
  const std::size_t first = head.find_first_not_of(" \n");
  return head.substr(first, head.find('(') - first);
}

/// Reads code_only text and keeps what was said since the last statement, which tells what a brace opens.
class Scanner {
 public:
  std::vector<Function> run(const std::string& code) {
    for (std::size_t i = 0; i < code.size(); ++i) {
      const char c = code[i];
      if (c == '\n') ++line_;
      if (depth_ > 0) {
        inside(c, code, i);
      } else {
        outside(c);
      }
    }
    return std::move(found_);
  }

 private:
  void outside(char c) {
    if (c == '{') {
      kind_ = classify(head_);
      if (kind_ != Brace::scope) depth_ = 1;
      if (kind_ == Brace::scope) restart();
    } else if (c == '}' || c == ';') {
      restart();
    } else {
      if (head_.empty() && std::isspace(static_cast<unsigned char>(c)) != 0) return;
      if (head_.empty()) head_line_ = line_;
      head_ += c == '\n' ? ' ' : c;
      if (head_ == "public:" || head_ == "private:" || head_ == "protected:") restart();
    }
  }

  void inside(char c, const std::string& code, std::size_t i) {
    depth_ += c == '{' ? 1 : c == '}' ? -1 : 0;
    if (depth_ > 0) return;
    // `: member_{1}, other_{2} {`: the body of a constructor is still to come.
    const std::size_t next = code.find_first_not_of(" \n", i + 1);
    const bool more = next != std::string::npos && (code[next] == ',' || code[next] == '{');
    if (kind_ == Brace::function && !more) found_.push_back({name_of(head_), head_line_, line_ - head_line_ + 1});
    if (!more && kind_ == Brace::function) restart();
  }

  void restart() { head_.clear(); }

  std::vector<Function> found_;
  std::string head_;
  Brace kind_ = Brace::other;
  int depth_ = 0;  // braces open in a function or an initialiser
  int line_ = 1;
  int head_line_ = 1;
};

}  // namespace

std::string code_only(std::string_view text) { return Blanker(text).run(); }

std::vector<Function> functions(std::string_view text) { return Scanner().run(code_only(text)); }

}  // namespace tidy
