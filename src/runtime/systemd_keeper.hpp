// systemd as a keeper: units of services, over D-Bus.
#pragma once

#include <expected>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "runtime/bus.hpp"
#include "runtime/keeper.hpp"
#include "runtime/systemd_unit.hpp"

namespace homeostat::runtime {

/// The run of a unit is its InvocationID. That it ends, is restarted by systemd or stopped by a person is told by
/// signals; how an order ended, by the removal of its job.
class SystemdKeeper final : public Keeper {
 public:
  SystemdKeeper(os::Loop& loop, const std::string& address, OnSight on_sight);
  ~SystemdKeeper() override;

  void keep(std::vector<Charge> charges) override;
  void perform(Order order, Instant now, Done done) override;
  std::optional<Instant> next_deadline() const override;
  void advance(Instant now) override;

 private:
  enum class Step : std::uint8_t { stop, link, reset, start, restart };
  struct Work;
  struct Unit;

  void up();
  void down(const std::string& why);
  void signal(sd_bus_message& message);
  void job_removed(sd_bus_message& message);
  void properties_changed(sd_bus_message& message);

  void watch(Unit& unit);
  void read(Unit& unit);
  void changed(Unit& unit);
  void notice_job(Unit& unit);
  void ask_kind(Unit& unit);
  void ask_bound(const Unit& unit);
  const Unit* kept(const std::string& name) const;
  bool falls_with_another(const Unit& unit) const;
  Sight seen(const Unit& unit) const;

  Unit* working(const Target& target, std::uint64_t work);
  void judge(Unit& unit);
  std::string refusal(const Unit& unit) const;
  void next_step(Unit& unit);
  std::string link(Unit& unit);
  std::set<const Unit*> pulled_in(const Unit& unit, bool also_wanted) const;
  std::expected<const char*, std::string> start_mode(const Unit& unit) const;
  void ask(Unit& unit, const char* method, const char* mode);
  void job_done(Unit& unit, const std::string& result);
  void finish(Unit& unit, engine::OutcomeKind kind, const std::string& detail);

  OnSight on_sight_;
  Bus bus_;
  std::map<Target, std::unique_ptr<Unit>> units_;
  std::map<std::string, Unit*> by_path_;
  std::uint64_t works_ = 0;
  Instant now_{};
};

}  // namespace homeostat::runtime
