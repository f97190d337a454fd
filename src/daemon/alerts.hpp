// The alerts that fire, as others have told. They outlive us: an Alertmanager repeats them only after hours.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "api/alerts.hpp"
#include "homeostat/time.hpp"
#include "os/saved_file.hpp"
#include "probe/judge.hpp"

namespace homeostat::daemon {

class Alerts {
 public:
  /// What was saved at `path` is known again.
  explicit Alerts(std::string path);

  /// How often they are repeated while they fire; twice that without a repetition, and nobody knows.
  void configure(Duration repeat) { repeat_ = repeat; }
  /// A repetition refreshes what is known, what is resolved is forgotten, and an end before the beginning that is
  /// known changes nothing. `wall_ns`: since 1970. `kept`: what is known now is on the disk, or cannot be; it may be
  /// called by another thread.
  void take(const std::vector<api::Alert>& alerts, std::int64_t wall_ns, os::SavedFile::Saved kept);
  /// Whether one fires that has all these labels.
  probe::Finding look(const std::vector<std::pair<std::string, std::string>>& labels, std::int64_t wall_ns) const;
  /// One that fires and has all these labels; null: none does. Valid until the next `take`.
  const api::Alert* firing(const std::vector<std::pair<std::string, std::string>>& labels) const;

 private:
  struct Known {
    api::Alert alert;
    std::int64_t heard_ns = 0;
  };

  void load();
  std::string saved() const;

  os::SavedFile file_;
  Duration repeat_ = std::chrono::hours(4);
  std::map<std::string, Known> known_;  // by fingerprint
};

}  // namespace homeostat::daemon
