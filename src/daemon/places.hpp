// Where an instance is, for whoever looks at it.
#pragma once

#include <set>

#include "config/config.hpp"
#include "engine/engine.hpp"
#include "probe/spec.hpp"

namespace homeostat::daemon {

/// Null: nothing is known of it.
const engine::InstanceState* instance_in(const engine::Engine& engine, engine::ServiceId service, engine::Slot slot);

std::set<engine::Slot> slots_of(const engine::Engine& engine, engine::ServiceId service);

/// An action on the instance was begun, and it is not known yet what became of it.
bool is_acted_on(const engine::Engine& engine, const std::string& service, engine::Slot slot);

/// What `{port}`, `{instance}` and `{release}` stand for.
probe::Place place_of(const engine::Engine& engine, const config::Config& config, engine::ServiceId service,
                      engine::Slot slot);

/// The port the instance has, or will have unless it is taken; 0: it has none.
std::uint16_t port_of(const engine::Engine& engine, const config::Config& config, engine::ServiceId service,
                      engine::Slot slot);

/// What a place's server is called in the proxy's configuration.
std::string server_name(const traffic::Spec& spec, const std::string& service, engine::Slot slot, std::uint16_t port);
/// … of an instance.
std::string server_of(const engine::Engine& engine, const traffic::Spec& spec, engine::ServiceId service,
                      engine::Slot slot, std::uint16_t port);

/// The alert that a check looks for; null: it is another kind of check.
const probe::AlertSpec* alert_spec(const config::Config& config, std::uint32_t probe);

using Labels = std::vector<std::pair<std::string, std::string>>;
Labels filled(Labels labels, const probe::Place& place);

}  // namespace homeostat::daemon
