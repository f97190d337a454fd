#include "engine/secrets.hpp"

#include <algorithm>
#include <array>

#include "core/planted.hpp"

namespace homeostat::engine {
namespace {

constexpr std::size_t kLeast = 4;
constexpr std::size_t kPart = 8;
constexpr std::array<std::string_view, 5> kForPeople{"detail", "why", "fault", "reason", "told"};

/// Visits the fields of an input and of all that it is made of.
struct Hider {
  const Secrets& secrets;

  void operator()(std::string_view name, std::string& text) const {
    if (std::ranges::find(kForPeople, name) != kForPeople.end()) secrets.hide(text);
  }
  template <class T>
  void operator()(std::string_view name, std::vector<T>& list) const {
    for (T& one : list) (*this)(name, one);
  }
  template <class T>
  void operator()(std::string_view, T& value) const {
    if constexpr (requires { T::fields; }) T::fields(value, *this);
  }
};

std::size_t same_length(std::string_view text, std::string_view secret) {
  return static_cast<std::size_t>(std::ranges::mismatch(text, secret).in2 - secret.begin());
}

}  // namespace

void Secrets::add(std::string_view secret) {
  if (secret.size() < kLeast || std::ranges::find(secrets_, secret) != secrets_.end()) return;
  // The longest first: what contains another is hidden as a whole.
  const auto longer =
      std::ranges::find_if(secrets_, [&](const std::string& one) { return one.size() < secret.size(); });
  secrets_.emplace(longer, secret);
}

void Secrets::hide(std::string& text) const {
  if (planted(Bug::secret_told)) return;
  for (const std::string& secret : secrets_) {
    for (std::size_t at = 0; at < text.size(); ++at) {
      const std::size_t length = same_length(std::string_view(text).substr(at), secret);
      if (length == secret.size() || length >= kPart) text.replace(at, length, "…");
    }
  }
}

void Secrets::hide(Input& input) const {
  if (secrets_.empty()) return;
  std::visit([this](auto& in) { Hider{*this}("", in); }, input);
}

}  // namespace homeostat::engine
