#include "journal/input_log.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "journal/bytes.hpp"
#include "journal/crc32c.hpp"
#include "journal/files.hpp"
#include "journal/input_reader.hpp"

namespace homeostat::journal {
namespace {

void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>((value & 0x7F) | 0x80));
  out.push_back(static_cast<char>(value));
}

void put_text(std::string& out, std::string_view text) {
  put(out, static_cast<std::uint32_t>(text.size()));
  out.append(text);
}

std::string encode(const SegmentStart& start) {
  std::string head(kSegmentMagic);
  put(head, kSegmentVersion);
  put(head, start.epoch);
  put(head, start.at.time_since_epoch().count());
  put_text(head, start.build_id);
  put_text(head, start.config);
  put_text(head, start.snapshot);
  put(head, crc32c(head));
  return head;
}

}  // namespace

std::expected<InputLog, Error> InputLog::open(const std::filesystem::path& state_dir, InputLogOptions options,
                                              std::function<SegmentStart()> start) {
  InputLog log;
  log.dir_ = state_dir / "inputs";
  log.options_ = options;
  log.start_ = std::move(start);
  if (::mkdir(log.dir_.c_str(), 0700) != 0 && errno != EEXIST) return fail_errno("cannot create", log.dir_);
  for (const auto& file : list_segments(state_dir)) {
    // A segment whose head is damaged cannot be replayed; it is as old as time, so that it goes first.
    log.segments_.push_back({.number = file.number, .at = file.at.value_or(kLongAgo), .bytes = file.bytes});
  }
  log.pins_ = load_pins(log.dir_);
  log.begin_segment();
  return log;
}

InputLog::~InputLog() {
  if (fd_) flush();
}

std::filesystem::path InputLog::file_of(std::uint64_t number) const { return dir_ / fmt::format("{:08}.log", number); }

void InputLog::append(std::string_view frame) {
  if (!disabled_.empty()) return;
  if (frame.empty() || frame.size() > kMaxFrameBytes) {
    return disable(fmt::format("an input of {} bytes cannot be logged", frame.size()));
  }
  if (segments_.back().bytes + buffer_.size() >= options_.segment_bytes) rotate();
  const std::size_t from = buffer_.size();
  put_varint(buffer_, frame.size());
  buffer_.append(frame);
  put(buffer_, crc32c(std::string_view(buffer_).substr(from)));
  if (buffer_.size() >= options_.buffer_bytes) flush();
}

void InputLog::flush() {
  if (disabled_.empty()) write(buffer_);
  buffer_.clear();
}

void InputLog::rotate() {
  flush();
  if (disabled_.empty()) begin_segment();
}

void InputLog::begin_segment() {
  const SegmentStart start = start_();
  const std::uint64_t number = segments_.empty() ? 1 : segments_.back().number + 1;
  auto fd = open_file(file_of(number), O_WRONLY | O_CREAT | O_EXCL);
  if (!fd) return disable(fd.error().text);
  fd_ = std::move(*fd);
  segments_.push_back({.number = number, .at = start.at});
  write(encode(start));
  delete_excess();
}

void InputLog::write(std::string_view bytes) {
  Segment& segment = segments_.back();
  auto written = write_at(fd_.get(), bytes, static_cast<std::int64_t>(segment.bytes), file_of(segment.number));
  if (!written) return disable(written.error().text);
  segment.bytes += bytes.size();
}

void InputLog::disable(std::string reason) {
  disabled_ = std::move(reason);
  buffer_.clear();
  fd_.reset();
}

std::expected<void, Error> InputLog::pin(const std::string& name, Instant from, Instant to) {
  if (!is_pin_name(name)) return fail("a pin needs a name of letters, digits, '.', '_', '-'");
  const Pin pin{.name = name, .from = from, .to = to};
  if (auto saved = save_pin(dir_, pin); !saved) return saved;
  std::erase_if(pins_, [&](const Pin& old) { return old.name == name; });
  pins_.insert(
      std::upper_bound(pins_.begin(), pins_.end(), pin, [](const Pin& a, const Pin& b) { return a.from < b.from; }),
      pin);
  drop_excess_pins();
  return {};
}

void InputLog::unpin(const std::string& name) {
  remove_pin(dir_, name);
  std::erase_if(pins_, [&](const Pin& pin) { return pin.name == name; });
}

// A segment holds what came from its own start to the start of the next one.
bool InputLog::pinned(std::size_t index) const {
  const Instant from = segments_[index].at;
  const Instant to = index + 1 < segments_.size() ? segments_[index + 1].at : kNever;
  return std::any_of(pins_.begin(), pins_.end(), [&](const Pin& pin) { return pin.from <= to && from <= pin.to; });
}

void InputLog::drop_excess_pins() {
  const auto held = [&] {
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i + 1 < segments_.size(); ++i) bytes += pinned(i) ? segments_[i].bytes : 0;
    return bytes;
  };
  while (!pins_.empty() && (pins_.size() > options_.max_pins || held() > options_.pinned_bytes)) {
    remove_pin(dir_, pins_.front().name);
    pins_.erase(pins_.begin());
    ++dropped_pins_;
  }
}

void InputLog::delete_excess() {
  drop_excess_pins();
  std::uint64_t total = 0;
  for (const Segment& segment : segments_) total += segment.bytes;
  // Room for the segment being written is part of the bound.
  for (std::size_t i = 0; i + 1 < segments_.size() && total + options_.segment_bytes > options_.total_bytes;) {
    if (pinned(i)) {
      ++i;
      continue;
    }
    ::unlink(file_of(segments_[i].number).c_str());
    total -= segments_[i].bytes;
    segments_.erase(segments_.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

}  // namespace homeostat::journal
