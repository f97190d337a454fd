// Text from outside: where its characters end, and what may be shown of it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace homeostat {

/// Length of the well-formed UTF-8 character at the front of `text`; 0: there is none.
std::size_t utf8_length(std::string_view text);

/// `text` without control characters and bytes that are no UTF-8, so that it can stand in JSON and on a terminal: at
/// most `most` bytes, whole characters, the last of them an ellipsis where it was cut: that says so to whoever hides
/// what must not be told.
std::string printable(std::string_view text, std::size_t most = std::string_view::npos);

}  // namespace homeostat
