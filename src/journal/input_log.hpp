// The input log: every input of the engine in step order, so that an incident can be replayed bit for bit. Not synced;
// bounded; when it cannot be written it stops, and nothing else does.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "homeostat/time.hpp"
#include "journal/pins.hpp"
#include "os/fd.hpp"

namespace homeostat::journal {

/// What a replay needs before the first frame of a segment.
struct SegmentStart {
  std::string build_id;
  std::uint64_t epoch = 0;
  Instant at{};
  std::string config;    // its text
  std::string snapshot;  // the engine, before the first frame

  friend bool operator==(const SegmentStart&, const SegmentStart&) = default;
};

struct InputLogOptions {
  std::uint64_t segment_bytes = 16U << 20;
  std::uint64_t total_bytes = 256U << 20;
  std::uint64_t pinned_bytes = 128U << 20;  // of the total; beyond it the oldest pins are dropped
  std::size_t max_pins = 64;
  std::size_t buffer_bytes = 64U << 10;
};

/// For the loop thread. Nothing of it returns an error after opening: `disabled()` says why it stopped.
class InputLog {
 public:
  /// `start` is asked at the beginning of each segment, always between two frames.
  static std::expected<InputLog, Error> open(const std::filesystem::path& state_dir, InputLogOptions options,
                                             std::function<SegmentStart()> start);
  InputLog(InputLog&&) = default;
  InputLog& operator=(InputLog&&) = delete;
  ~InputLog();

  /// Call before the engine takes the input: a new segment's snapshot is that of the moment before. Empty frames and
  /// those over 16 MiB disable the log.
  void append(std::string_view frame);
  void flush();
  /// Begins a new segment: after a reload, or before an incident is exported.
  void rotate();

  /// Keeps the segments of a time range; `to` may be kNever while the incident is open. The same name again replaces.
  std::expected<void, Error> pin(const std::string& name, Instant from, Instant to);
  void unpin(const std::string& name);
  const std::vector<Pin>& pins() const { return pins_; }

  const std::string& disabled() const { return disabled_; }
  std::uint64_t dropped_pins() const { return dropped_pins_; }

 private:
  struct Segment {
    std::uint64_t number = 0;
    Instant at{};
    std::uint64_t bytes = 0;
  };

  InputLog() = default;
  void begin_segment();
  void write(std::string_view bytes);
  void disable(std::string reason);
  bool pinned(std::size_t index) const;
  void drop_excess_pins();
  void delete_excess();
  std::filesystem::path file_of(std::uint64_t number) const;

  std::filesystem::path dir_;
  InputLogOptions options_;
  std::function<SegmentStart()> start_;
  os::Fd fd_;
  std::string buffer_;
  std::vector<Segment> segments_;  // oldest first; the last one is being written
  std::vector<Pin> pins_;          // oldest first
  std::string disabled_;
  std::uint64_t dropped_pins_ = 0;
};

}  // namespace homeostat::journal
