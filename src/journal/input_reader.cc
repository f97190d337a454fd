#include "journal/input_reader.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "journal/bytes.hpp"
#include "journal/crc32c.hpp"
#include "journal/files.hpp"

namespace homeostat::journal {
namespace {

constexpr std::size_t kFixedHead = 8 + 4 + 8 + 8;  // magic, version, epoch, time

std::optional<std::uint64_t> take_varint(std::string_view& in) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 5 && i < in.size(); ++i) {
    const auto byte = static_cast<unsigned char>(in[i]);
    value |= static_cast<std::uint64_t>(byte & 0x7F) << (7 * i);
    if ((byte & 0x80) != 0) continue;
    in.remove_prefix(i + 1);
    return value;
  }
  return std::nullopt;
}

bool take_text(std::string_view& in, std::string& text) {
  const auto size = take<std::uint32_t>(in);
  const auto bytes = size ? take_bytes(in, *size) : std::nullopt;
  if (bytes) text = *bytes;
  return bytes.has_value();
}

std::expected<SegmentStart, Error> take_head(std::string_view& in) {
  const std::string_view whole = in;
  if (!in.starts_with(kSegmentMagic)) return fail("not a segment of an input log");
  in.remove_prefix(kSegmentMagic.size());
  const auto version = take<std::uint32_t>(in);
  if (version && *version > kSegmentVersion) {
    return fail(fmt::format("written by a newer Homeostat (input log format {}, this build reads up to {})", *version,
                            kSegmentVersion));
  }
  const auto epoch = take<std::uint64_t>(in);
  const auto at = take<std::int64_t>(in);
  SegmentStart start;
  const bool texts =
      epoch && at && take_text(in, start.build_id) && take_text(in, start.config) && take_text(in, start.snapshot);
  const std::size_t size = whole.size() - in.size();
  const auto crc = take<std::uint32_t>(in);
  if (!texts || !crc || *crc != crc32c(whole.substr(0, size))) return fail("the head of the segment is damaged");
  start.epoch = *epoch;
  start.at = Instant(Duration(*at));
  return start;
}

std::optional<Instant> start_of(const std::filesystem::path& file) {
  auto fd = open_file(file, O_RDONLY);
  std::array<char, kFixedHead> head{};
  if (!fd || ::pread(fd->get(), head.data(), head.size(), 0) != static_cast<ssize_t>(head.size())) return std::nullopt;
  std::string_view in(head.data(), head.size());
  if (!in.starts_with(kSegmentMagic)) return std::nullopt;
  in.remove_prefix(kFixedHead - 8);
  return Instant(Duration(*take<std::int64_t>(in)));
}

}  // namespace

std::vector<SegmentFile> list_segments(const std::filesystem::path& state_dir) {
  std::vector<SegmentFile> found;
  std::error_code bad;
  for (std::filesystem::directory_iterator file(state_dir / "inputs", bad), end; !bad && file != end;
       file.increment(bad)) {
    if (file->path().extension() != ".log") continue;
    const std::string stem = file->path().stem().string();
    SegmentFile segment{
        .number = 0, .path = file->path(), .bytes = size_of(file->path()), .at = start_of(file->path())};
    const auto [rest, error] = std::from_chars(stem.data(), stem.data() + stem.size(), segment.number);
    if (error == std::errc() && rest == stem.data() + stem.size()) found.push_back(std::move(segment));
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.number < b.number; });
  return found;
}

std::expected<SegmentRead, Error> read_segment(const std::filesystem::path& file,
                                               const std::function<bool(std::string_view frame)>& on_frame) {
  const auto bytes = read_file(file, kMaxSegmentBytes);
  if (!bytes) return std::unexpected(bytes.error());
  auto read = parse_segment(*bytes, on_frame);
  if (!read) return fail(fmt::format("{}: {}", file.string(), read.error().text));
  return read;
}

std::expected<SegmentRead, Error> parse_segment(std::string_view bytes,
                                                const std::function<bool(std::string_view frame)>& on_frame) {
  std::string_view in = bytes;
  auto start = take_head(in);
  if (!start) return std::unexpected(start.error());
  SegmentRead read{.start = std::move(*start)};
  while (!in.empty()) {
    read.good_bytes = bytes.size() - in.size();
    std::string_view rest = in;
    const auto size = take_varint(rest);
    const std::size_t prefix = in.size() - rest.size();
    // Without fsync a crash of the machine may also leave a tail of zeros.
    const bool zeros = std::all_of(in.begin(), in.end(), [](char c) { return c == '\0'; });
    const bool cut = !size ? in.size() < 5 : *size + 4 > rest.size() && *size <= kMaxFrameBytes;
    if (zeros || cut) {
      read.end = SegmentEnd::torn;
      return read;
    }
    if (!size || *size == 0 || *size > kMaxFrameBytes) {
      read.end = SegmentEnd::damaged;
      return read;
    }
    const std::string_view frame = *take_bytes(rest, *size);
    if (*take<std::uint32_t>(rest) != crc32c(in.substr(0, prefix + *size))) {
      read.end = rest.empty() ? SegmentEnd::torn : SegmentEnd::damaged;
      return read;
    }
    in = rest;
    ++read.frames;
    if (!on_frame(frame)) break;
  }
  read.good_bytes = bytes.size() - in.size();
  return read;
}

}  // namespace homeostat::journal
