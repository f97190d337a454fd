// All invariants over one arena.
#pragma once

#include "sim/invariant.hpp"

namespace homeostat::sim {

class Judge : public Witness {
 public:
  explicit Judge(Arena& arena);
  const Scene& scene() const { return scene_; }
  const Invariants& invariants() const { return invariants_; }
  bool at_rest();

  void given(const engine::Input& input) override;
  void recorded(const engine::Record& record) override;
  void commanded(const engine::Command& command) override;
  void stepped() override;
  void durable(const engine::Record& record) override;
  void did(const Deed& deed) override;
  void ended(std::uint32_t service, Slot slot) override;
  void died() override;
  void booted() override;
  void reloaded() override;
  void rested() override;

 private:
  template <class Call>
  void tell(Call call) {
    call(static_cast<Witness&>(ledger_));
    for (const auto& invariant : invariants_) call(static_cast<Witness&>(*invariant));
  }

  Ledger ledger_;
  Scene scene_;
  Invariants invariants_;
};

}  // namespace homeostat::sim
