#include "engine/input_codec.hpp"

#include "engine/binary.hpp"

namespace homeostat::engine {
namespace {

template <std::size_t I = 0>
bool read_input(std::uint8_t index, BinaryReader& reader, Input& input) {
  if constexpr (I < std::variant_size_v<Input>) {
    if (index != I) return read_input<I + 1>(index, reader, input);
    reader.value(input.emplace<I>());
    return !reader.failed();
  } else {
    return false;
  }
}

}  // namespace

std::string encode_input(const Input& input, Instant at) {
  BinaryWriter writer;
  writer.value(static_cast<std::uint8_t>(input.index()));
  writer.value(at);
  std::visit([&writer](const auto& in) { writer.value(in); }, input);
  return writer.take();
}

std::optional<TimedInput> decode_input(std::string_view bytes) {
  BinaryReader reader(bytes);
  std::uint8_t index = 0;
  TimedInput timed;
  reader.value(index);
  reader.value(timed.at);
  if (!read_input(index, reader, timed.input) || !reader.done()) return std::nullopt;
  return timed;
}

}  // namespace homeostat::engine
