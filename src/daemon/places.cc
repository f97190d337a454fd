#include "daemon/places.hpp"

namespace homeostat::daemon {

const engine::InstanceState* instance_in(const engine::Engine& engine, engine::ServiceId service, engine::Slot slot) {
  const auto& services = engine.durable().services;
  const auto known = services.find(engine.plan().services[service].name);
  if (known == services.end()) return nullptr;
  const auto instance = known->second.instances.find(slot);
  return instance == known->second.instances.end() ? nullptr : &instance->second;
}

probe::Place place_of(const engine::Engine& engine, const config::Config& config, engine::ServiceId service,
                      engine::Slot slot) {
  probe::Place place;
  place.instance = static_cast<std::uint32_t>(slot);
  const engine::InstanceState* instance = instance_in(engine, service, slot);
  if (instance == nullptr) return place;
  place.port = instance->port;
  const auto* process = std::get_if<runtime::ProcessSpec>(&config.runtimes[service]);
  if (process != nullptr && !instance->version.empty())
    place.release = process->releases + "/" + instance->version.str();
  return place;
}

}  // namespace homeostat::daemon
