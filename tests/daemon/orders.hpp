// Orders given to a keeper by hand, without a daemon, for something that runs already.
#pragma once

#include <functional>

#include "lab.hpp"
#include "os/loop.hpp"
#include "runtime/keeper.hpp"

namespace homeostat::lab {

class Orders {
 public:
  using Make = std::function<std::unique_ptr<runtime::Keeper>(os::Loop& loop, runtime::Keeper::OnSight saw)>;

  /// `unit` is what its runtime calls it.
  Orders(const Make& make, const std::string& unit, const std::string& releases = "") : loop_(*os::Loop::open()) {
    keeper_ = make(loop_, [this](const auto&, const auto& seen) { sight_ = seen; });
    runtime::KeptSpec spec;
    spec.unit = unit;
    spec.releases = releases;
    spec.link = releases + "/current";
    keeper_->keep({{kTarget, spec}});
  }
  /// It is seen to run.
  [[nodiscard]] bool runs() {
    return turn([&] { return sight_.is == runtime::Sight::Is::running; });
  }
  const runtime::Sight& sight() const { return sight_; }
  runtime::Outcome give(engine::Op op, Incarnation expected, const std::string& version = "") {
    std::optional<runtime::Outcome> outcome;
    keeper_->perform({kTarget, op, expected, version}, now(),
                     [&](runtime::Outcome done) { outcome = std::move(done); });
    EXPECT_TRUE(turn([&] { return outcome.has_value(); }));
    return outcome.value_or(runtime::Outcome{});
  }

 private:
  static inline const runtime::Target kTarget{"web", 0};

  static Instant now() { return Instant(std::chrono::steady_clock::now().time_since_epoch()); }
  bool turn(const std::function<bool()>& until) {
    return eventually([&] {
      loop_.run_once(milliseconds(5));
      keeper_->advance(now());
      return until();
    });
  }

  os::Loop loop_;
  runtime::Sight sight_;
  std::unique_ptr<runtime::Keeper> keeper_;
};

}  // namespace homeostat::lab
