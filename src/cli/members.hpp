// Reads JSON that a person wrote: what is wrong is said with its place, and unknown members are refused.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/problem.hpp"

namespace homeostat::cli {

namespace json = boost::json;

/// The members of one object, each with a name and what to do with it. The first that is wrong is told.
class Members {
 public:
  Members(const json::value& value, std::string where) : where_(std::move(where)) {
    object_ = value.if_object();
    if (object_ == nullptr) wrong("", "is not an object");
  }

  void number(std::string_view key, double& out) {
    with(key, [&](const json::value& value) {
      if (!value.is_number()) return wrong(key, "is not a number");
      out = value.to_number<double>();
    });
  }
  void flag(std::string_view key, bool& out) {
    with(key, [&](const json::value& value) {
      if (!value.is_bool()) return wrong(key, "is not true or false");
      out = value.as_bool();
    });
  }
  template <class T>
  void word(std::string_view key, T& out, const std::function<std::optional<T>(std::string_view)>& read,
            std::string_view known) {
    with(key, [&](const json::value& value) {
      const auto meant = value.is_string() ? read(value.as_string()) : std::nullopt;
      if (!meant) return wrong(key, fmt::format("is not one of {}", known));
      out = *meant;
    });
  }
  void with(std::string_view key, const std::function<void(const json::value&)>& use) {
    known_.push_back(key);
    if (object_ == nullptr || !problem_.empty()) return;
    const json::value* value = object_->if_contains(key);
    if (value != nullptr) use(*value);
  }
  bool has(std::string_view key) const { return object_ != nullptr && object_->contains(key); }
  void wrong(std::string_view key, const std::string& why) {
    if (!problem_.empty()) return;
    const std::string_view dot = where_.empty() || key.empty() ? "" : ".";
    const std::string place = where_ + std::string(dot) + std::string(key);
    problem_ = (place.empty() ? "the input" : place) + " " + why;
  }
  /// What is wrong; members that nobody asked for, too.
  std::string finish() {
    if (object_ == nullptr || !problem_.empty()) return problem_;
    for (const auto& member : *object_) {
      const std::string_view key = member.key();
      if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
      const std::string near(config::nearest(key, known_));
      wrong(config::quote(key), near.empty() ? "is not known" : "is not known; did you mean `" + near + "`?");
    }
    return problem_;
  }

 private:
  const json::object* object_ = nullptr;
  std::string where_;
  std::vector<std::string_view> known_;
  std::string problem_;
};

}  // namespace homeostat::cli
