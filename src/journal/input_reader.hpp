// Reads the input log's segments; their bytes may be torn or damaged, and are never trusted.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "homeostat/time.hpp"
#include "journal/input_log.hpp"

namespace homeostat::journal {

inline constexpr std::string_view kSegmentMagic = "HSINPUT1";
inline constexpr std::uint32_t kSegmentVersion = 1;
inline constexpr std::size_t kMaxFrameBytes = 16U << 20;
inline constexpr std::size_t kMaxSegmentBytes = 256U << 20;

struct SegmentFile {
  std::uint64_t number = 0;
  std::filesystem::path path;
  std::uint64_t bytes = 0;
  std::optional<Instant> at;  // nothing: the beginning of its head cannot be read
};

/// By number, that is, oldest first.
std::vector<SegmentFile> list_segments(const std::filesystem::path& state_dir);

enum class SegmentEnd {
  clean,
  torn,     // the last frame is incomplete: the program or the machine stopped there
  damaged,  // a frame in the middle is not what was written
};

struct SegmentRead {
  SegmentStart start;
  std::uint64_t frames = 0;
  SegmentEnd end = SegmentEnd::clean;
  std::uint64_t good_bytes = 0;  // up to here everything was as written
};

/// An error: no head, so nothing can be replayed. `on_frame` returns false to stop early.
std::expected<SegmentRead, Error> read_segment(const std::filesystem::path& file,
                                               const std::function<bool(std::string_view frame)>& on_frame);
/// The same for bytes in memory; never reads outside of them.
std::expected<SegmentRead, Error> parse_segment(std::string_view bytes,
                                                const std::function<bool(std::string_view frame)>& on_frame);

}  // namespace homeostat::journal
