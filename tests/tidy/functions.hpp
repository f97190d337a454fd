// Finds the functions of a C++ file and how long they are, by following its braces.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tidy {

struct Function {
  std::string name;  // the text before its parameters, for messages
  int first_line = 0;
  int lines = 0;
};

/// Comments, literals and preprocessor lines are blanked out; the lines stay where they were.
std::string code_only(std::string_view text);

/// Every function defined in `text`, lambdas at namespace scope included.
std::vector<Function> functions(std::string_view text);

}  // namespace tidy
