// A program that looks after its own database connection: a check, a ladder of two remedies, and a call for help.
#include <atomic>
#include <cstdio>
#include <thread>

#include "homeostat/healer.hpp"

using namespace std::chrono_literals;

int main() {
  std::atomic<bool> connected = false;  // stands for the program's own state: here, it begins broken
  std::atomic<bool> standby_up = true;

  homeostat::Healer healer({.escalate = [](const homeostat::Escalation& e) {
    std::printf("call somebody: %s (%s)\n", e.name.c_str(), e.detail.c_str());
  }});

  // A way to repair with a name, for any number of checks; it says itself why it does not apply.
  const auto known = healer.register_strategy({
      .name = "use the standby",
      .validate = [&](const homeostat::RepairContext&) -> std::optional<std::string> {
        return standby_up ? std::nullopt : std::optional<std::string>("the standby is down, too");
      },
      .execute = [&](const homeostat::RepairContext&) { return connected = true, true; },
  });
  if (!known) return std::printf("%s\n", known.error().c_str()), 2;

  const auto added = healer.add({
      .id = "db",
      .name = "database connection",
      .look = [&] { return connected.load(); },  // or an Observation, with a reason
      .policy = {.interval = 100ms, .fast_interval = 20ms, .timeout = 1s, .failure_threshold = 3, .startup_grace = 0s},
      .remedies = {{.name = "reconnect", .repair = [] { return false; }, .attempts = 2},  // does not help today
                   {.strategy = "use the standby"}},
      .backoff = {.initial = 50ms},
  });
  if (!added) return std::printf("%s\n", added.error().c_str()), 2;

  std::jthread background([&](std::stop_token stop) { healer.run(stop); });  // or call run_once(now) in your own loop
  const auto well = [&] { return healer.state("db")->status == homeostat::Status::healthy; };
  for (int i = 0; i < 1000 && !well(); ++i) std::this_thread::sleep_for(10ms);

  for (const homeostat::HealingEvent& event : healer.history()) {
    std::printf("%-10s %s %s\n", to_string(event.step).data(), event.remedy.c_str(), event.detail.c_str());
  }
  return well() ? 0 : 1;
}
