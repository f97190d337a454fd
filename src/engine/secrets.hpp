// Secrets that others repeat: a command prints its password, a server sends a token back. Nothing of them gets into the
// journal, the state, or an answer: texts from outside go through here before the engine sees them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/input.hpp"

namespace homeostat::engine {

class Secrets {
 public:
  Secrets() = default;
  explicit Secrets(const std::vector<std::string>& secrets) {
    for (const std::string& one : secrets) add(one);
  }
  /// What is shorter than 4 bytes stands in every second text and is left out.
  void add(std::string_view secret);
  /// Puts `…` in the place of each secret in the text, and of the beginning of one, of 8 bytes or more, where it may
  /// have been cut: at the end, and before an ellipsis.
  void hide(std::string& text) const;
  /// … in all texts of the input that are for people. Names stay as they are.
  void hide(Input& input) const;
  bool empty() const { return secrets_.empty(); }

 private:
  std::vector<std::string> secrets_;
};

}  // namespace homeostat::engine
