#include "probe/reading.hpp"

#include <fmt/core.h>

#include <charconv>

#include "core/text.hpp"

namespace homeostat::probe {
namespace {

constexpr std::size_t kShown = 40;

std::string quoted(std::string_view text) { return fmt::format("\"{}\"", printable(text, kShown)); }

std::string_view words(MetricFault fault) {
  if (fault == MetricFault::infinite) return "infinite";
  if (fault == MetricFault::negative) return "negative";
  if (fault == MetricFault::too_large) return "beyond what can be counted";
  return "not a number";
}

}  // namespace

std::expected<std::int64_t, Refusal> read_number(std::string_view text) {
  std::string_view digits = text;
  if (digits.starts_with('+') && !digits.starts_with("+-")) digits.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  const bool whole = !digits.empty() && end == digits.data() + digits.size();
  const auto no = [&](MetricFault fault) { return refuse(fault, fmt::format("{} is {}", quoted(text), words(fault))); };
  if (!whole || error == std::errc::invalid_argument) return no(MetricFault::not_a_number);
  if (error == std::errc::result_out_of_range) return no(MetricFault::too_large);
  const auto counted = to_thousandths(value);
  if (!counted) return no(counted.error());
  return *counted;
}

std::expected<std::int64_t, Refusal> read_signed(std::string_view text) {
  if (!text.starts_with('-')) return read_number(text);
  const auto size = read_number(text.substr(1));
  if (!size) return size;
  return -*size;
}

Reading read_printed(std::string_view output, std::size_t numbers) {
  constexpr std::string_view kBlank = " \t\r\n";
  std::vector<Told> all;
  for (std::size_t at = output.find_first_not_of(kBlank); at != std::string_view::npos;
       at = output.find_first_not_of(kBlank)) {
    output.remove_prefix(at);
    const std::string_view word = output.substr(0, output.find_first_of(kBlank));
    const auto value = read_number(word);
    if (!value) return std::unexpected(value.error());
    all.push_back({*value});
    output.remove_prefix(word.size());
  }
  if (all.size() == numbers) return all;
  return refuse(all.empty() ? MetricFault::absent : MetricFault::not_a_number,
                fmt::format("it printed {} numbers, {} needed", all.size(), numbers == 1 ? "1 is" : "2 are"));
}

}  // namespace homeostat::probe
