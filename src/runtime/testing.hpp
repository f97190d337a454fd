// A process runtime with a loop and a directory of its own, for tests.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

#include "os/incarnation.hpp"
#include "os/lock_file.hpp"
#include "os/testing.hpp"
#include "runtime/process_runtime.hpp"

namespace homeostat::runtime::testing {

using engine::OutcomeKind;
using os::testing::eventually;
using os::testing::read_file;
using os::testing::write_file;
using std::chrono::milliseconds;
using std::chrono::seconds;

struct Exit {
  Target target;
  Incarnation incarnation;
  os::ExitStatus status;
};

inline Instant real_now() { return Instant(std::chrono::steady_clock::now().time_since_epoch()); }

/// The number a program writes into `path`, once the whole line is there.
inline int number_in(const std::string& path) {
  EXPECT_TRUE(eventually([&] { return read_file(path).ends_with('\n'); })) << path;
  return std::atoi(read_file(path).c_str());
}

inline bool gone(int pid) { return !os::incarnation_of(pid); }

class World {
 public:
  explicit World(std::string state_dir, std::optional<os::Cgroups> cgroups = std::nullopt)
      : loop_(*os::Loop::open()), state_dir_(std::move(state_dir)) {
    auto opened = ProcessRuntime::open(
        loop_, state_dir_, std::move(cgroups),
        [this](const Target& target, const Incarnation& incarnation, const os::ExitStatus& status) {
          exits.push_back({target, incarnation, status});
          if (exit_hook) exit_hook(target);
        });
    if (!opened) ::abort();
    runtime = std::move(*opened);
  }

  void configure(const std::string& service, std::vector<std::string> command, ProcessSpec spec = {}) {
    spec.command = std::move(command);
    runtime->configure(service, std::move(spec));
  }

  /// A done that keeps the outcome.
  Done keep() {
    outcome_.reset();
    return [this](Outcome outcome) { outcome_ = std::move(outcome); };
  }
  void turn() {
    loop_.run_once(milliseconds(1));
    runtime->advance(real_now());
  }
  template <typename Condition>
  bool turn_until(Condition condition) {
    return eventually([&] {
      turn();
      return condition();
    });
  }
  Outcome settle() {
    EXPECT_TRUE(outcome_ || turn_until([&] { return outcome_.has_value(); })) << "no outcome";
    return outcome_.value_or(Outcome{});
  }
  Outcome start(const Target& target, const std::string& version = "", engine::CommandId command = {1, 1}) {
    runtime->start(target, version, command, real_now(), keep());
    return settle();
  }
  Outcome stop(const Target& target, const Incarnation& expected) {
    runtime->stop(target, expected, real_now(), keep());
    return settle();
  }
  Outcome restart(const Target& target, const Incarnation& expected, const std::string& version = "") {
    runtime->restart(target, expected, version, {1, 2}, real_now(), keep());
    return settle();
  }
  std::string log(const std::string& instance) const { return read_file(state_dir_ + "/log/" + instance + ".log"); }
  std::string lock(const std::string& instance) const { return state_dir_ + "/run/" + instance + ".lock"; }

  std::vector<Exit> exits;
  std::function<void(const Target&)> exit_hook;
  std::unique_ptr<ProcessRuntime> runtime;

 private:
  os::Loop loop_;
  std::string state_dir_;
  std::optional<Outcome> outcome_;
};

inline std::vector<std::string> shell(const std::string& script) { return {"/bin/sh", "-c", script}; }

}  // namespace homeostat::runtime::testing
