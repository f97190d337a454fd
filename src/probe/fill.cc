#include "probe/fill.hpp"

namespace homeostat::probe {

std::string fill(std::string_view text, const Place& place) {
  std::string out;
  while (!text.empty()) {
    const std::size_t brace = text.find('{');
    out.append(text.substr(0, brace));
    if (brace == std::string_view::npos) break;
    text.remove_prefix(brace);
    if (text.starts_with("{port}")) {
      out.append(std::to_string(place.port));
      text.remove_prefix(6);
    } else if (text.starts_with("{instance}")) {
      out.append(std::to_string(place.instance));
      text.remove_prefix(10);
    } else if (text.starts_with("{release}")) {
      out.append(place.release);
      text.remove_prefix(9);
    } else if (text.starts_with("{version}") && !place.version.empty()) {
      out.append(place.version);
      text.remove_prefix(9);
    } else {
      out.push_back('{');
      text.remove_prefix(1);
    }
  }
  return out;
}

}  // namespace homeostat::probe
