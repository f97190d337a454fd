// A segment of the input log, as it comes from the disk. The input is a segment, or becomes one: a good head with these
// frames. What is read is exactly what the bytes say, up to the first that do not agree.
#include <string>

#include "engine/input_codec.hpp"
#include "journal/bytes.hpp"
#include "journal/crc32c.hpp"
#include "journal/input_reader.hpp"
#include "kit.hpp"

namespace homeostat::fuzz {
namespace {

void take_frame(std::string_view frame) {
  const auto input = engine::decode_input(frame);
  if (!input) return;
  const std::string again = engine::encode_input(input->input, input->at);
  const auto same = engine::decode_input(again);
  require(same && engine::encode_input(same->input, same->at) == again, "an input is read back");
}

journal::SegmentEnd read(std::string_view bytes, std::uint64_t& frames) {
  std::size_t inside = 0;
  const auto read = journal::parse_segment(bytes, [&](std::string_view frame) {
    require(frame.data() >= bytes.data() && frame.data() + frame.size() <= bytes.data() + bytes.size(),
            "a frame lies in the segment");
    inside += frame.size();
    take_frame(frame);
    return true;
  });
  frames = 0;
  if (!read) return journal::SegmentEnd::damaged;
  require(read->good_bytes <= bytes.size() && inside <= read->good_bytes, "no more is good than is there");
  require((read->end == journal::SegmentEnd::clean) == (read->good_bytes == bytes.size()), "good to the end, or not");
  frames = read->frames;
  return read->end;
}

/// A segment whose frames are the lines of the input, with sums that are right.
std::string segment_of(std::string_view input, std::uint64_t& frames) {
  std::string out(journal::kSegmentMagic);
  journal::put(out, journal::kSegmentVersion);
  journal::put(out, std::uint64_t{1});
  journal::put(out, std::int64_t{1});
  for (int text = 0; text < 3; ++text) journal::put(out, std::uint32_t{0});
  journal::put(out, journal::crc32c(out));
  while (!input.empty()) {
    const std::string_view frame = input.substr(0, std::min<std::size_t>(input.find("\n\n"), 127));
    input.remove_prefix(std::min(input.size(), frame.size() + 2));
    if (frame.empty()) continue;
    std::string whole(1, static_cast<char>(frame.size()));
    whole += frame;
    journal::put(whole, journal::crc32c(whole));
    out += whole;
    ++frames;
  }
  return out;
}

}  // namespace

void run(std::string_view input) {
  std::uint64_t frames = 0;
  read(input, frames);
  std::uint64_t written = 0;
  const std::string good = segment_of(input, written);
  require(read(good, frames) == journal::SegmentEnd::clean && frames == written, "what was written is read");
  // A crash cuts it anywhere: then it is torn, and everything before is there.
  Chance chance(input);
  const std::string_view cut = std::string_view(good).substr(0, good.size() - chance.below(good.size()));
  std::uint64_t before = 0;
  require(read(cut, before) != journal::SegmentEnd::clean || before <= written, "a cut adds nothing");
  // One bit that changes never goes unseen: fewer frames, or a segment that does not begin.
  std::string flipped = good;
  flipped[chance.below(flipped.size())] ^= static_cast<char>(1U << chance.below(8));
  require(read(flipped, before) != journal::SegmentEnd::clean, "a flipped bit is seen");
}

}  // namespace homeostat::fuzz
