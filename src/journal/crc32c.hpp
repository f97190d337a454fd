// CRC-32C (Castagnoli): small frames that need to notice a torn or flipped byte.
#pragma once

#include <cstdint>
#include <string_view>

namespace homeostat::journal {

/// Checksum of `bytes`; pass the result as `seed` to go on with the next piece.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed = 0);

}  // namespace homeostat::journal
