// docker and podman as keepers: containers, over the API that both have.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/container_api.hpp"
#include "runtime/container_order.hpp"
#include "runtime/keeper.hpp"

namespace homeostat::runtime {

/// The run of a container is its id and the time of its start. That something happens to it is told by events; how it
/// is then, by a look at it; and why it has ended, by the events since it was started.
class ContainerKeeper final : public Keeper {
 public:
  ContainerKeeper(os::Loop& loop, KeptSpec::By by, std::string peer, OnSight on_sight, bool looks_only = false);
  ~ContainerKeeper() override;

  void keep(std::vector<Charge> charges) override;
  void perform(Order order, Instant now, Done done) override;
  std::optional<Instant> next_deadline() const override;
  void advance(Instant now) override;

 private:
  struct Container;
  using Seen = std::move_only_function<void(Container&, const HttpReply&)>;

  bool podman() const { return by_ == KeptSpec::By::podman; }
  void up();
  void down(const std::string& why);
  void happened(const ContainerEvent& event);

  /// Asks something about a container; its answer is forgotten when that is kept no longer.
  void ask(const Container& container, std::string path, Duration within, Seen seen);
  void look(Container& container);
  void look_aside(Container& container);
  void took(Container& container, const ContainerState& fresh);
  void tidy(Container& container);
  void ask_how_it_ended(Container& container);
  void judge_end(Container& container, const std::string& events);
  void check_health(Container& container);
  void changed(Container& container);
  Sight seen(const Container& container) const;

  std::string sibling_of(const Target& target) const;
  void ended(const Target& target, ContainerOrder::Ended how, Done done);

  KeptSpec::By by_;
  OnSight on_sight_;
  bool looks_only_;
  ContainerApi api_;
  std::map<Target, std::unique_ptr<Container>> containers_;
  std::uint64_t made_ = 0;
  Instant look_at_ = kNever;  // at all of them, for what was not told
  Instant now_{};
};

}  // namespace homeostat::runtime
