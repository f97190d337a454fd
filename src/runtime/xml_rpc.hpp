// The little of XML-RPC that supervisord speaks.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/error.hpp"

namespace homeostat::runtime {

/// A text, a number (also booleans), a list, or members by name. Times and binaries are texts.
struct XmlValue {
  std::variant<std::string, std::int64_t, std::vector<XmlValue>, std::map<std::string, XmlValue>> is{};

  /// A member's number or text; nothing where it is not that.
  std::optional<std::int64_t> number(const std::string& member) const;
  std::string text(const std::string& member) const;
};

/// A call whose parameters are texts and booleans.
using XmlParameter = std::variant<std::string, bool>;
std::string xml_call(std::string_view method, const std::vector<XmlParameter>& parameters);

struct XmlFault {
  std::int64_t code = 0;
  std::string text;
};
using XmlAnswer = std::expected<XmlValue, XmlFault>;

/// An answer: its value, or its fault. An error: it is not XML-RPC, or deeper than 16 levels.
std::expected<XmlAnswer, Error> read_xml_answer(std::string_view text);

}  // namespace homeostat::runtime
