#include "daemon/places.hpp"

#include <algorithm>

#include "probe/fill.hpp"
#include "runtime/fill.hpp"

namespace homeostat::daemon {

const engine::InstanceState* instance_in(const engine::Engine& engine, engine::ServiceId service, engine::Slot slot) {
  const auto& services = engine.durable().services;
  const auto known = services.find(engine.plan().services[service].name);
  if (known == services.end()) return nullptr;
  const auto instance = known->second.instances.find(slot);
  return instance == known->second.instances.end() ? nullptr : &instance->second;
}

std::set<engine::Slot> slots_of(const engine::Engine& engine, engine::ServiceId service) {
  std::set<engine::Slot> slots;
  for (const engine::Place& place : engine.state().services[service].places) {
    if (place.slot >= 0) slots.insert(place.slot);
  }
  return slots;
}

bool is_acted_on(const engine::Engine& engine, const std::string& service, engine::Slot slot) {
  return std::ranges::any_of(engine.durable().actions, [&](const auto& action) {
    return action.second.intent.service == service && action.second.intent.slot == slot;
  });
}

probe::Place place_of(const engine::Engine& engine, const config::Config& config, engine::ServiceId service,
                      engine::Slot slot) {
  probe::Place place;
  place.instance = static_cast<std::uint32_t>(slot);
  const engine::InstanceState* instance = instance_in(engine, service, slot);
  if (instance == nullptr) return place;
  place.port = instance->port;
  const auto* process = std::get_if<runtime::ProcessSpec>(&config.runtimes[service]);
  place.version = instance->version.str();
  if (process != nullptr && !instance->version.empty())
    place.release = process->releases + "/" + instance->version.str();
  return place;
}

std::uint16_t port_of(const engine::Engine& engine, const config::Config& config, engine::ServiceId service,
                      engine::Slot slot) {
  const engine::InstanceState* instance = instance_in(engine, service, slot);
  if (instance != nullptr && instance->port != 0) return instance->port;
  const auto* process = std::get_if<runtime::ProcessSpec>(&config.runtimes[service]);
  if (process == nullptr || process->first_port == 0) return 0;
  return static_cast<std::uint16_t>(process->first_port + slot);
}

std::string server_name(const traffic::Spec& spec, const std::string& service, engine::Slot slot, std::uint16_t port) {
  return runtime::fill(spec.server,
                       {{"service", service}, {"instance", std::to_string(slot)}, {"port", std::to_string(port)}});
}

std::string server_of(const engine::Engine& engine, const traffic::Spec& spec, engine::ServiceId service,
                      engine::Slot slot, std::uint16_t port) {
  return server_name(spec, engine.plan().services[service].name, slot, port);
}

const probe::AlertSpec* alert_spec(const config::Config& config, std::uint32_t probe) {
  return probe < config.probes.size() ? std::get_if<probe::AlertSpec>(&config.probes[probe]) : nullptr;
}

Labels filled(Labels labels, const probe::Place& place) {
  for (auto& [name, value] : labels) value = probe::fill(value, place);
  return labels;
}

}  // namespace homeostat::daemon
