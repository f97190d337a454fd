// The options of the example's programs: --name value.
#pragma once

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>

namespace workers {

[[noreturn]] inline void usage(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::exit(2);
}

inline std::uint64_t number(std::string_view text, std::string_view what) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) {
    usage(std::string(what) + " needs a whole number, not `" + std::string(text) + "`");
  }
  return value;
}

class Options {
 public:
  Options(int argc, char** argv, std::initializer_list<std::string_view> known) {
    for (int i = 1; i < argc; i += 2) {
      const std::string_view name = argv[i];
      bool is_known = false;
      for (const std::string_view one : known) is_known = is_known || one == name;
      if (!is_known || i + 1 >= argc) usage("`" + std::string(name) + "` is not known or has no value");
      values_[std::string(name)] = argv[i + 1];
    }
  }

  std::string text(const std::string& name, const char* otherwise = nullptr) const {
    const auto found = values_.find(name);
    if (found != values_.end()) return found->second;
    if (otherwise == nullptr) usage(name + " is missing");
    return otherwise;
  }
  std::uint64_t count(const std::string& name) const { return number(text(name), name); }
  std::uint64_t count(const std::string& name, std::uint64_t otherwise) const {
    return values_.contains(name) ? count(name) : otherwise;
  }

 private:
  std::map<std::string, std::string> values_;
};

}  // namespace workers
