#include "daemon/time_keeper.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <optional>

#include "os/incarnation.hpp"

namespace homeostat::daemon {
namespace {

constexpr Duration kMostAway = std::chrono::hours(24 * 30);

std::int64_t read_clock(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

struct Saved {
  std::uint64_t boot = 0;
  std::int64_t boottime = 0;
  std::int64_t wall = 0;
  std::int64_t engine = 0;
};

std::optional<Saved> read_saved(const std::string& path) {
  std::ifstream file(path);
  Saved saved;
  if (file >> saved.boot >> saved.boottime >> saved.wall >> saved.engine) return saved;
  return std::nullopt;
}

Instant resume(const Saved& saved, std::int64_t boottime, std::int64_t wall) {
  const bool same_boot = saved.boot == os::boot_number() && boottime >= saved.boottime;
  const Duration away(same_boot ? boottime - saved.boottime : wall - saved.wall);
  const Duration most = same_boot ? away : kMostAway;
  return later(Instant(Duration(saved.engine)), std::clamp(away, Duration{}, most));
}

}  // namespace

TimeKeeper::TimeKeeper(std::string path, Instant last_known)
    : path_(std::move(path)), boottime_at_base_(read_clock(CLOCK_BOOTTIME)) {
  const auto saved = read_saved(path_);
  if (saved)
    base_ = resume(*saved, boottime_at_base_, wall_ns());
  else if (last_known == kLongAgo)
    base_ = Instant(Duration(wall_ns()));
  base_ = std::max(base_, last_known);
  save();
}

Instant TimeKeeper::now() const { return base_ + Duration(read_clock(CLOCK_BOOTTIME) - boottime_at_base_); }

std::int64_t TimeKeeper::wall_ns() { return read_clock(CLOCK_REALTIME); }

void TimeKeeper::save() const {
  const std::string fresh = path_ + ".new";
  {
    std::ofstream file(fresh, std::ios::trunc);
    const std::int64_t boottime = read_clock(CLOCK_BOOTTIME);
    const std::int64_t engine = base_.time_since_epoch().count() + boottime - boottime_at_base_;
    file << os::boot_number() << ' ' << boottime << ' ' << wall_ns() << ' ' << engine << '\n';
    if (!file.flush()) return;
  }
  std::rename(fresh.c_str(), path_.c_str());
}

}  // namespace homeostat::daemon
