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

/// Where a secret stands in a text, from and to.
using Stretch = std::pair<std::size_t, std::size_t>;

// Of an address, that much of the beginning is told by everybody who speaks of it.
std::size_t told_anyway(std::string_view secret) {
  const std::size_t scheme = secret.find("://");
  return scheme == std::string_view::npos ? 0 : std::min(secret.find('/', scheme + 3), secret.size() - 1) + 1;
}

// The text may have been cut in the middle of one: how much of its beginning stands at the end of `text`.
std::size_t cut_off(std::string_view text, std::string_view secret) {
  const std::size_t least = std::max(kPart, told_anyway(secret) + 1);
  std::size_t length = std::min(text.size(), secret.size() - 1);
  while (length >= least && !text.ends_with(secret.substr(0, length))) --length;
  return length >= least ? length : 0;
}

void find_in(std::string_view text, std::string_view secret, std::vector<Stretch>& out) {
  for (std::size_t at = text.find(secret); at != std::string_view::npos; at = text.find(secret, at + 1)) {
    out.emplace_back(at, at + secret.size());
  }
  const auto cut_at = [&](std::size_t end) {
    if (const std::size_t cut = cut_off(text.substr(0, end), secret); cut > 0) out.emplace_back(end - cut, end);
  };
  for (const std::string_view mark : {"…", "..."}) {
    for (std::size_t at = text.find(mark); at != std::string_view::npos; at = text.find(mark, at + 1)) cut_at(at);
  }
  cut_at(text.size());
}

}  // namespace

void Secrets::add(std::string_view secret) {
  if (secret.size() < kLeast || std::ranges::find(secrets_, secret) != secrets_.end()) return;
  secrets_.emplace_back(secret);
}

// All are found before any is hidden: one may be a part of another.
void Secrets::hide(std::string& text) const {
  if (planted(Bug::secret_told)) return;
  std::vector<Stretch> found;
  for (const std::string& secret : secrets_) find_in(text, secret, found);
  std::ranges::sort(found);
  std::string out;
  std::size_t shown = 0;
  for (const auto& [from, to] : found) {
    if (from >= shown) out.append(text, shown, from - shown).append("…");
    shown = std::max(shown, to);
  }
  if (!found.empty()) text = out.append(text, shown);
}

void Secrets::hide(Input& input) const {
  if (secrets_.empty()) return;
  std::visit([this](auto& in) { Hider{*this}("", in); }, input);
}

}  // namespace homeostat::engine
