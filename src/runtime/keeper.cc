#include "runtime/keeper.hpp"

#include <utility>

#include "runtime/container_keeper.hpp"
#include "runtime/supervisord_keeper.hpp"
#include "runtime/systemd_keeper.hpp"

namespace homeostat::runtime {

std::unique_ptr<Keeper> make_keeper(os::Loop& loop, const KeptSpec& spec, Keeper::OnSight on_sight, bool looks_only) {
  switch (spec.by) {
    case KeptSpec::By::systemd:
      return std::make_unique<SystemdKeeper>(loop, spec.peer, std::move(on_sight));
    case KeptSpec::By::supervisord:
      return std::make_unique<SupervisordKeeper>(loop, spec.peer, spec.login, std::move(on_sight));
    case KeptSpec::By::docker:
    case KeptSpec::By::podman:
      return std::make_unique<ContainerKeeper>(loop, spec.by, spec.peer, std::move(on_sight), looks_only);
  }
  std::unreachable();
}

}  // namespace homeostat::runtime
