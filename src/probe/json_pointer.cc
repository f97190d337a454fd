#include "probe/json_pointer.hpp"

#include <fmt/core.h>

#include <boost/json/basic_parser_impl.hpp>

#include "core/text.hpp"

namespace homeostat::probe {
namespace {

namespace json = boost::json;
using ErrorCode = boost::system::error_code;

constexpr std::size_t kMostSteps = 16;
constexpr std::size_t kMostDepth = 32;
constexpr std::size_t kShown = 120;

/// Follows the pointer through the parser's events. The parser calls these by name and stops when one returns false.
class Follower {
 public:
  static constexpr std::size_t max_object_size = std::size_t(-1);
  static constexpr std::size_t max_array_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = std::size_t(-1);
  static constexpr std::size_t max_string_size = std::size_t(-1);

  const JsonPointer* at = nullptr;
  Reading found = refuse(MetricFault::absent, "");
  bool twice = false;

  static bool on_document_begin(ErrorCode& /*wrong*/) { return true; }
  static bool on_document_end(ErrorCode& /*wrong*/) { return true; }
  static bool on_number_part(json::string_view /*part*/, ErrorCode& /*wrong*/) { return true; }
  static bool on_string_part(json::string_view /*part*/, std::size_t /*size*/, ErrorCode& /*wrong*/) { return true; }
  static bool on_comment_part(json::string_view /*part*/, ErrorCode& /*wrong*/) { return true; }
  static bool on_comment(json::string_view /*part*/, ErrorCode& /*wrong*/) { return true; }

  bool on_object_begin(ErrorCode& wrong) { return open(false, wrong); }
  bool on_array_begin(ErrorCode& wrong) { return open(true, wrong); }
  bool on_object_end(std::size_t /*size*/, ErrorCode& /*wrong*/) { return inside_.pop_back(), true; }
  bool on_array_end(std::size_t /*size*/, ErrorCode& /*wrong*/) { return inside_.pop_back(), true; }
  bool on_key_part(json::string_view part, std::size_t /*size*/, ErrorCode& /*wrong*/) {
    return key_.append(part.data(), part.size()), true;
  }
  bool on_key(json::string_view part, std::size_t /*size*/, ErrorCode& /*wrong*/) {
    key_.append(part.data(), part.size());
    return true;
  }
  bool on_string(json::string_view /*part*/, std::size_t /*size*/, ErrorCode& wrong) {
    return other("text, not a number", wrong);
  }
  bool on_bool(bool /*flag*/, ErrorCode& wrong) { return other("true or false, not a number", wrong); }
  bool on_null(ErrorCode& wrong) { return other("null, not a number", wrong); }
  bool on_int64(std::int64_t, json::string_view text, ErrorCode& wrong) { return number(text, wrong); }
  bool on_uint64(std::uint64_t, json::string_view text, ErrorCode& wrong) { return number(text, wrong); }
  bool on_double(double, json::string_view text, ErrorCode& wrong) { return number(text, wrong); }

 private:
  struct Container {
    bool array = false;
    bool on_path = false;
    bool passed = false;  // the child on the path has come
    std::size_t next = 0;
  };

  /// Whether the value that begins lies on the path.
  bool step() {
    if (inside_.empty()) return true;
    Container& in = inside_.back();
    const std::size_t depth = inside_.size() - 1;
    bool here = in.on_path && depth < at->steps.size();
    if (in.array) {
      here = here && at->steps[depth] == std::to_string(in.next);
      ++in.next;
    } else {
      here = here && at->steps[depth] == key_;
      key_.clear();
    }
    twice = twice || (here && in.passed);
    in.passed = in.passed || here;
    return here;
  }
  bool wanted(bool here) const { return here && inside_.size() == at->steps.size(); }
  bool go_on(ErrorCode& wrong) const {
    if (twice) wrong = json::error::extra_data;
    return !twice;
  }

  bool open(bool array, ErrorCode& wrong) {
    const bool here = step();
    if (wanted(here))
      found = refuse(MetricFault::not_a_number, array ? "a list, not a number" : "an object, not a number");
    inside_.push_back({array, here, false, 0});
    return go_on(wrong);
  }
  bool other(const char* what, ErrorCode& wrong) {
    if (wanted(step())) found = refuse(MetricFault::not_a_number, what);
    return go_on(wrong);
  }
  bool number(json::string_view text, ErrorCode& wrong) {
    if (wanted(step())) {
      const auto value = read_number({text.data(), text.size()});
      if (value)
        found = std::vector<Told>{{*value}};
      else
        found = std::unexpected(value.error());
    }
    return go_on(wrong);
  }

  std::vector<Container> inside_;
  std::string key_;
};

std::string name_of(const JsonPointer& at) { return at.text.empty() ? "the document" : printable(at.text, kShown); }

}  // namespace

std::expected<JsonPointer, Error> parse_pointer(std::string_view text) {
  JsonPointer out{std::string(text), {}};
  if (!text.empty() && text.front() != '/') return fail("it begins with `/`, as in /stats/waiting");
  while (!text.empty()) {
    text.remove_prefix(1);
    const std::size_t end = std::min(text.find('/'), text.size());
    std::string step;
    for (std::size_t i = 0; i < end; ++i) {
      const bool escape = text[i] == '~';
      if (escape && (i + 1 >= end || (text[i + 1] != '0' && text[i + 1] != '1')))
        return fail("`~` stands for itself as ~0, and for `/` as ~1");
      step += escape ? (text[++i] == '0' ? '~' : '/') : text[i];
    }
    out.steps.push_back(std::move(step));
    if (out.steps.size() > kMostSteps) return fail(fmt::format("it is deeper than {} steps", kMostSteps));
    text.remove_prefix(end);
  }
  return out;
}

Reading read_json(const JsonPointer& at, std::string_view document) {
  json::parse_options options;
  options.max_depth = kMostDepth;
  json::basic_parser<Follower> parser(options);
  Follower& follower = parser.handler();
  follower.at = &at;
  ErrorCode wrong;
  const std::size_t read = parser.write_some(false, document.data(), document.size(), wrong);
  if (follower.twice) return refuse(MetricFault::not_a_number, fmt::format("{} is there twice", name_of(at)));
  if (!wrong && read < document.size()) wrong = json::error::extra_data;
  if (wrong) return refuse(MetricFault::unread, fmt::format("the answer is not JSON: {}", wrong.message()));
  if (follower.found) return follower.found;
  const Refusal& why = follower.found.error();
  if (why.fault == MetricFault::absent) return refuse(why.fault, fmt::format("the answer has no {}", name_of(at)));
  return refuse(why.fault, fmt::format("{}: {}", name_of(at), why.why));
}

}  // namespace homeostat::probe
