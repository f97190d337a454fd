// The alerts that fire, as others have told. They outlive us: an Alertmanager repeats them only after hours.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "api/alerts.hpp"
#include "config/config.hpp"
#include "homeostat/time.hpp"
#include "os/saved_file.hpp"
#include "probe/judge.hpp"

namespace homeostat::daemon {

class Alerts {
 public:
  using Labels = std::vector<std::pair<std::string, std::string>>;

  /// What was saved at `path` is known again.
  explicit Alerts(std::string path);

  /// How often they are repeated while they fire, and which of them checks look for.
  void configure(const config::Config& config);
  /// A repetition refreshes what is known. What is resolved is over: an end before the beginning that is known changes
  /// nothing, and a beginning that is over already is believed only when no end follows it. `wall_ns`: since 1970.
  /// `kept`: what is known now is on the disk, or what of it is not, in words; it may be called by another thread.
  void take(const std::vector<api::Alert>& alerts, std::int64_t wall_ns, os::SavedFile::Saved kept);
  /// Whether one fires that has all these labels. Twice `repeat` without a repetition, and nobody knows.
  probe::Finding look(const Labels& labels, std::int64_t wall_ns) const;
  /// One that fires and has all these labels; null: none does. Valid until the next `take`.
  const api::Alert* firing(const Labels& labels, std::int64_t wall_ns) const;
  /// For people: those that fire, and those of them that no check looks for.
  api::AlertsSeen seen() const;

 private:
  /// One that is over.
  struct Over {
    std::int64_t until_ns = 0;  // what began by then is that one
    std::int64_t heard_ns = 0;
  };
  struct Known {
    api::Alert alert;  // the one that fires, or nothing of one that does not
    std::int64_t heard_ns = 0;
    std::int64_t believed_ns = 0;  // from then on it is
    std::optional<Over> over;      // the last one that is
    bool matched = true;           // a check looks for it
  };

  static bool fires(const Known& known, const Labels& labels, std::int64_t wall_ns);
  bool is_fresh(const Known& known, std::int64_t wall_ns) const;
  bool is_doubted(const Known& known, const api::Alert& alert, std::int64_t wall_ns) const;
  bool is_old(const api::Alert& alert, std::int64_t wall_ns) const;
  void forget(std::int64_t wall_ns);
  void make_room(const std::vector<api::Alert>& alerts, std::int64_t wall_ns);
  /// False: there is no room.
  bool keep(const api::Alert& alert, std::int64_t wall_ns);
  void match(Known& known);
  void load();
  std::string saved() const;

  os::SavedFile file_;
  Duration repeat_ = std::chrono::hours(4);
  std::vector<Labels> looked_for_;
  std::set<std::string> told_;          // names of which it was said that no check looks for them
  std::map<std::string, Known> known_;  // by fingerprint
};

}  // namespace homeostat::daemon
