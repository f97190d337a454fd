// What went wrong at an edge, in words that say where and what to do.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace homeostat {

struct Error {
  std::string text;
};

inline std::unexpected<Error> fail(std::string text) { return std::unexpected(Error{std::move(text)}); }

}  // namespace homeostat
