// The runtime `systemd`: units that systemd runs.
#include <fmt/format.h>

#include "config/draft.hpp"
#include "config/releases.hpp"

namespace homeostat::config {
namespace {

struct Systemd {
  runtime::KeptSpec spec;
  std::string release;
};

const Table<Systemd>& systemd_table() {
  static const Table<Systemd> table = [] {
    Table<Systemd> rows(
        "run.systemd",
        "A unit of systemd, over D-Bus: Homeostat starts, stops and restarts it, and hears at once when "
        "it fails. What somebody stops with `systemctl stop` stays stopped, and while `Restart=` brings "
        "it back Homeostat waits.");
    rows.add("unit", [](Systemd& systemd) -> auto& { return systemd.spec.unit; }, text_type(),
             {.text = "The unit's own name, not an alias. With several instances it is a template's: `{instance}` is "
                      "filled in.",
              .example = "web@{instance}.service",
              .required = true});
    rows.add("bus", [](Systemd& systemd) -> auto& { return systemd.spec.peer; }, text_type(),
             {.text = "The address of the D-Bus on which systemd is.",
              .fallback = "unix:path=/run/dbus/system_bus_socket",
              .example = "unix:path=/run/user/1000/bus"});
    rows.add("releases", [](Systemd& systemd) -> auto& { return systemd.spec.releases; }, path_type(),
             {.text = "A folder with one folder a version.",
              .otherwise = "the service has no versions",
              .example = "/srv/api"});
    rows.add("link", [](Systemd& systemd) -> auto& { return systemd.spec.link; }, path_type(),
             {.text = "With `releases`: a symbolic link that the unit's `ExecStart=` goes through. It is set to the "
                      "folder of a version while the unit is stopped.",
              .otherwise = "`current` in the folder of the releases",
              .example = "/srv/api/current"});
    rows.add("release", &Systemd::release, text_type(),
             {.text = "The version to begin with, needed with `releases`. Versions deployed later outlive this file.",
              .otherwise = "none",
              .example = "v1"});
    rows.add("timeout", [](Systemd& systemd) -> auto& { return systemd.spec.timeout; },
             duration_type(std::chrono::seconds(1)),
             {.text = "What systemd has not finished by then has an unknown outcome: longer than the unit's own "
                      "`TimeoutStartSec` and `TimeoutStopSec` together.",
              .fallback = "4m",
              .example = "10m"});
    return rows;
  }();
  return table;
}

/// Letters, digits and :-_.\\@, ending in `.service`; `{instance}` may stand in it.
bool is_unit_name(std::string_view name) {
  constexpr std::string_view kEnd = ".service";
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.\\@";
  if (name.size() <= kEnd.size() || name.size() > 255 || !name.ends_with(kEnd)) return false;
  std::string plain(name);
  if (const auto at = plain.find(kInstance); at != std::string::npos) plain.replace(at, kInstance.size(), "0");
  return plain.find_first_not_of(kAllowed) == std::string::npos;
}

void finish(Systemd& systemd, const Node& node, Reader& reader, RunDraft& out) {
  runtime::KeptSpec& spec = systemd.spec;
  if (!spec.unit.empty() && !is_unit_name(spec.unit)) {
    reader.problem(node.where("unit"),
                   fmt::format("{} is no name of a service unit, such as `web.service`", quote(spec.unit)));
  }
  check_releases(spec.releases, systemd.release, node, reader);
  if (!spec.link.empty() && spec.releases.empty()) {
    reader.problem(node.where("link"), "`link` means nothing without `releases`");
  }
  if (spec.link.empty() && !spec.releases.empty()) spec.link = spec.releases + "/current";
  Fingerprint print;
  print.add("systemd").add(spec.peer).add(spec.unit).add(spec.releases).add(spec.link);
  out.release = systemd.release;
  out.plan = {.managed = true,
              .restart = true,
              .start_stop = true,
              .releases = !spec.releases.empty(),
              .identity = print.value(),
              .stop_grace = spec.timeout};
  out.spec = std::move(spec);
}

}  // namespace

Component<RunDraft> systemd_run() {
  return {"systemd",
          "A unit of systemd.",
          "{ unit: web.service }",
          {&systemd_table().section()},
          [](const Node& node, Reader& reader, RunDraft& out) {
            Systemd systemd;
            systemd_table().read(node, reader, systemd);
            finish(systemd, node, reader, out);
          }};
}

}  // namespace homeostat::config
