// For the tests of examples: what stands in a page, and what a command says.
#pragma once

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

namespace homeostat::examples {

inline std::string content(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline std::string output_of(const std::string& command) {
  std::string out;
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return out;
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) out += static_cast<char>(c);
  ::pclose(pipe);
  return out;
}

}  // namespace homeostat::examples
