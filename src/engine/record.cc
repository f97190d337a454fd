#include "engine/record.hpp"

#include "engine/json_reader.hpp"
#include "engine/json_writer.hpp"

namespace homeostat::engine {
namespace {

template <std::size_t I = 0>
std::optional<Body> decode_as(std::string_view type, std::string_view payload) {
  if constexpr (I < std::variant_size_v<Body>) {
    using T = std::variant_alternative_t<I, Body>;
    if (type != T::kType) return decode_as<I + 1>(type, payload);
    T body;
    if (!JsonReader::read(payload, body)) return std::nullopt;
    return body;
  } else {
    return std::nullopt;
  }
}

template <std::size_t... I>
std::vector<std::string_view> types(std::index_sequence<I...>) {
  return {std::variant_alternative_t<I, Body>::kType...};
}

}  // namespace

std::string_view type_of(const Body& body) {
  return std::visit([](const auto& b) { return std::decay_t<decltype(b)>::kType; }, body);
}

bool critical(const Body& body) {
  return std::visit([](const auto& b) { return std::decay_t<decltype(b)>::kCritical; }, body);
}

std::string encode(const Body& body) {
  return std::visit([](const auto& b) { return JsonWriter::write(b); }, body);
}

std::optional<Body> decode(std::string_view type, std::string_view payload) { return decode_as(type, payload); }

std::vector<std::string_view> known_types() { return types(std::make_index_sequence<std::variant_size_v<Body>>{}); }

}  // namespace homeostat::engine
