#include "runtime/container_copy.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "runtime/json_at.hpp"

namespace homeostat::runtime {
namespace {

namespace json = boost::json;

constexpr const char* kInstanceVariable = "HOMEOSTAT_INSTANCE=";

bool contains(const json::value* in, const json::value& one) {
  const json::array* all = in == nullptr ? nullptr : in->if_array();
  return all != nullptr && std::ranges::find(*all, one) != all->end();
}

/// What it has of its image by default is not a setting of its own.
void leave_to_image(json::object& config, const json::object& image) {
  for (const char* name : {"Cmd", "Entrypoint", "WorkingDir", "User", "StopSignal", "Healthcheck"}) {
    const json::value* by_default = image.if_contains(name);
    const json::value* has = config.if_contains(name);
    if (has != nullptr && by_default != nullptr && *has == *by_default) config.erase(name);
  }
  if (json::value* env = config.if_contains("Env"); env != nullptr && env->is_array()) {
    json::array own;
    for (const json::value& one : env->get_array()) {
      if (!contains(image.if_contains("Env"), one)) own.push_back(one);
    }
    *env = std::move(own);
  }
  for (const char* name : {"Labels", "ExposedPorts", "Volumes"}) {
    json::value* has = config.if_contains(name);
    if (has == nullptr || !has->is_object()) continue;
    for (const auto& [key, value] : object_at(image, name)) {
      const json::value* same = has->get_object().if_contains(key);
      if (same != nullptr && *same == value) has->get_object().erase(key);
    }
  }
}

/// What is made up anew for every container.
void leave_to_chance(json::object& config, std::string_view id) {
  const std::string host = text_at(config, "Hostname");
  if (!host.empty() && id.starts_with(host)) config.erase("Hostname");
  config.erase("MacAddress");
  if (json::value* env = config.if_contains("Env"); env != nullptr && env->is_array()) {
    json::array own;
    for (const json::value& one : env->get_array()) {
      if (one != json::value("HOSTNAME=" + host)) own.push_back(one);
    }
    *env = std::move(own);
  }
}

void name_instance(json::object& config, int instance) {
  json::array env;
  if (const json::value* has = config.if_contains("Env"); has != nullptr && has->is_array()) {
    for (const json::value& one : has->get_array()) {
      if (!one.is_string() || !one.get_string().starts_with(kInstanceVariable)) env.push_back(one);
    }
  }
  env.emplace_back(kInstanceVariable + std::to_string(instance));
  config["Env"] = std::move(env);
}

/// podman tells some settings in other words than those in which it takes them.
void translate(json::object& host) {
  for (const char* name : {"PidMode", "UTSMode"}) {
    if (text_at(host, name) == "private") host.erase(name);
  }
  if (number_at(host, "MemorySwappiness") < 0) host.erase("MemorySwappiness");
  // The same limit in two ways of which it takes one.
  if (number_at(host, "NanoCpus") != 0) {
    host.erase("CpuPeriod");
    host.erase("CpuQuota");
  }
  if (json::value* devices = host.if_contains("Devices"); devices != nullptr && devices->is_array()) {
    for (json::value& device : devices->get_array()) {
      if (!device.is_object() || !text_at(device.get_object(), "CgroupPermissions").empty()) continue;
      device.get_object()["CgroupPermissions"] = "rwm";  // it never tells; what a device gets unless it is limited
    }
  }
  json::value* limits = host.if_contains("Ulimits");
  if (limits == nullptr || !limits->is_array()) return;
  for (json::value& limit : limits->get_array()) {
    constexpr std::string_view kPrefix = "RLIMIT_";
    if (!limit.is_object()) continue;
    std::string name = text_at(limit.get_object(), "Name");
    if (!name.starts_with(kPrefix)) continue;
    name.erase(0, kPrefix.size());
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    limit.get_object()["Name"] = name;
  }
}

json::array list_at(const json::object& object, const char* name) {
  const json::value* list = object.if_contains(name);
  return list != nullptr && list->is_array() ? list->get_array() : json::array();
}

/// Of `source:where` or `source:where:options`, none of which has a colon of its own.
bool binds_to(const json::value& bind, std::string_view where) {
  if (!bind.is_string()) return false;
  std::string_view text = bind.get_string();
  text.remove_prefix(std::min(text.find(':'), text.size() - 1) + 1);
  return text.substr(0, text.find(':')) == where;
}

/// The one of HostConfig.Mounts that is there; null: none.
json::object* mount_to(json::array& mounts, std::string_view where) {
  const auto found = std::ranges::find_if(mounts, [&](const json::value& mount) {
    return mount.is_object() && text_at(mount.get_object(), "Target") == where;
  });
  return found == mounts.end() ? nullptr : &found->get_object();
}

/// Volumes without a name of the user's: the next one is to have them, too.
void keep_volumes(json::object& host, const json::object& container) {
  json::array binds = list_at(host, "Binds");
  json::array mounts = list_at(host, "Mounts");
  for (const json::value& mount : list_at(container, "Mounts")) {
    if (!mount.is_object() || text_at(mount.get_object(), "Type") != "volume") continue;
    const std::string name = text_at(mount.get_object(), "Name");
    const std::string where = text_at(mount.get_object(), "Destination");
    if (name.empty() || where.empty()) continue;
    if (std::ranges::any_of(binds, [&](const json::value& bind) { return binds_to(bind, where); })) continue;
    if (json::object* same = mount_to(mounts, where)) {
      (*same)["Source"] = name;
      continue;
    }
    binds.emplace_back(fmt::format("{}:{}{}", name, where, flag_at(mount.get_object(), "RW") ? "" : ":ro"));
  }
  if (!binds.empty()) host["Binds"] = std::move(binds);
  if (!mounts.empty()) host["Mounts"] = std::move(mounts);
}

bool publishes_a_port(const json::object& host) {
  return std::ranges::any_of(object_at(host, "PortBindings"), [](const auto& port) {
    const json::array* where = port.value().if_array();
    return where != nullptr && std::ranges::any_of(*where, [](const json::value& one) {
             const std::string number = one.is_object() ? text_at(one.get_object(), "HostPort") : std::string();
             return !number.empty() && number != "0";
           });
  });
}

}  // namespace

std::string lost_in_a_copy(std::string_view own_words) {
  const auto all = read_object(own_words);
  if (!all || list_at(object_at(*all, "Config"), "Secrets").empty()) return {};
  return "the container has secrets of podman's, which one that is made over this API cannot be given: make the next "
         "one "
         "by hand, or mount them as files";
}

std::expected<std::string, Error> copy_settings(std::string_view inspected, std::string_view own_image,
                                                const std::string& image, int instance) {
  const auto all = read_object(inspected);
  if (!all || object_at(*all, "Config").empty()) return fail("what it says of the container cannot be read");
  json::object config = object_at(*all, "Config");
  json::object host = object_at(*all, "HostConfig");
  if (object_at(object_at(*all, "NetworkSettings"), "Networks").size() > 1)
    return fail("the container is in several networks, and one can be made in a single one only");
  if (instance >= 0 && publishes_a_port(host)) {
    return fail(
        "a copy cannot publish the same port: use the host's network and HOMEOSTAT_INSTANCE, or make it by hand");
  }
  if (const auto own = read_object(own_image)) leave_to_image(config, object_at(*own, "Config"));
  leave_to_chance(config, text_at(*all, "Id"));
  // Another instance gets volumes without a name of its own.
  if (instance < 0)
    keep_volumes(host, *all);
  else
    name_instance(config, instance);
  translate(host);
  config["Image"] = image;
  config["HostConfig"] = std::move(host);
  return json::serialize(config);
}

}  // namespace homeostat::runtime
