// Checks of files, on threads that may hang: a dead network file system answers nobody, and must not stop the rest.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "probe/judge.hpp"
#include "probe/spec.hpp"

namespace homeostat::probe {

/// Looks at the file right now. `wall_ns`: the wall clock, in nanoseconds since 1970.
Finding look_at_file(const FileSpec& spec, std::int64_t wall_ns);

/// A few threads that begin when they are needed. One that hangs is given up at the end, never waited for.
class FileLooker {
 public:
  using Done = std::function<void(std::uint32_t target, std::uint64_t ticket, Finding&&)>;

  /// `done` is called on one of the threads, never after the destructor has returned.
  explicit FileLooker(Done done);
  ~FileLooker();

  /// False: too many looks wait already.
  bool start(std::uint32_t target, std::uint64_t ticket, std::shared_ptr<const FileSpec> spec, std::int64_t wall_ns);
  /// True while the look with this ticket waits for a thread (then a time-out is not the file's fault).
  bool waits(std::uint64_t ticket) const;

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace homeostat::probe
