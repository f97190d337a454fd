// What `eval scaling` and `eval canary` read: JSON and columns that a person or a script wrote. Either it is refused
// with a reason that can be shown, or it is decided: the same each time, within the bounds, and never fewer for not
// knowing.
#include <algorithm>
#include <boost/json.hpp>
#include <string>

#include "cli/canary_eval.hpp"
#include "cli/scaling_input.hpp"
#include "kit.hpp"
#include "shown.hpp"

namespace homeostat::fuzz {
namespace {

namespace json = boost::json;

std::string decided(std::string_view text) {
  auto question = cli::read_scaling_json(text);
  if (!question) {
    require(!question.error().text.empty(), "a refusal has its reason");
    return question.error().text;
  }
  const json::object answer = cli::decide_scaling(*question);
  const auto number = [&](std::string_view key) { return answer.at(key).to_number<std::int64_t>(); };
  const std::int64_t current = number("current"), desired = number("desired"), most = number("max");
  require(desired == current || (desired >= number("min") && desired <= most), "a change is within the bounds");
  const bool unknown = std::ranges::any_of(
      answer.at("metrics").as_array(), [](const json::value& metric) { return metric.as_object().contains("fault"); });
  const bool by_hand = question->control.by_hand.has_value();
  require(!unknown || by_hand || desired >= std::min(current, most), "who does not know takes nothing away");
  require(!cli::show_scaling(answer, false).empty(), "it can be shown");
  return json::serialize(answer);
}

std::string judged(const std::expected<cli::CanaryInput, Error>& input) {
  constexpr std::size_t kLooks = 5;
  if (!input) {
    require(!input.error().text.empty(), "a refusal has its reason");
    return input.error().text;
  }
  const auto looks = cli::canary_looks(*input, kLooks);
  if (!looks) return looks.error().text;
  const json::object answer = cli::judge_canary(*input, *looks);
  require(!cli::show_canary(answer, false).empty(), "it can be shown");
  if (!looks->empty()) require(!cli::picture_canary(*input, *looks).empty(), "it can be drawn");
  return json::serialize(answer);
}

std::string answer(int kind, std::string_view text) {
  if (kind == 0) return decided(text);
  if (kind == 1) return judged(cli::read_canary_json(text));
  return judged(cli::read_canary_csv(text, {}));
}

}  // namespace

void run(std::string_view input) {
  if (input.empty()) return;
  const int kind = static_cast<unsigned char>(input.front()) % 3;
  input.remove_prefix(1);
  require(answer(kind, input) == answer(kind, input), "the same question has the same answer");
}

}  // namespace homeostat::fuzz
