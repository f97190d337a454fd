#include "config/reference.hpp"

#include <fmt/format.h>

#include "config/draft.hpp"

namespace homeostat::config {
namespace {

constexpr std::string_view kHead = R"(# Configuration

<!-- Made from the field tables of src/config; change those and run the config tests with HOMEOSTAT_UPDATE=1. -->

One YAML file, centred on services. Six lines are enough for one, here two instances of a web server:

```yaml
homeostat: 1
services:
  web:
    run: { process: { command: [python3, -m, http.server, --bind, 127.0.0.1, "{port}"], ports: 9001-9002 } }
    instances: 2
    checks: { alive: { http: { path: / } } }
```

`homeostat validate FILE` reports every mistake with its place, `homeostat run FILE` starts. A fuller one:

```yaml
homeostat: 1
defaults: { interval: 5s }
services:
  db:
    run:
      exec:
        restart: [systemctl, restart, postgresql]
        status: [pg_isready, --quiet]
    mode: approve
    checks:
      alive: { tcp: { port: 5432 } }
  api:
    run:
      process:
        command: ["{release}/serve", --port, "{port}"]
        ports: 9001-9012
        releases: /srv/api
        release: v1
        env: { LOG_LEVEL: info }
        limits: { nofile: 65536, core: 0 }
        stop: { grace: 30s }
    instances: 6
    min_healthy: 4
    max_unavailable: 34%
    depends_on: [db]
    prerequisites: [{ file: /srv/api/enabled }, { check: db/alive }]
    checks:
      alive: { http: { path: /livez }, interval: 5s, fast_interval: 1s, timeout: 2s, startup_grace: 30s }
      ready: { role: ready, http: { path: /readyz, expect: { status: [200, 204], latency_below: 500ms } } }
      lag: { role: watch, exec: [/usr/local/bin/lag-check, "{port}"], interval: 1m }
    remediation:
      - rollback: { when: changed_within 15m }
      - restart: { attempts: 2, verify_within: 2m }
      - exec: { command: [/usr/local/bin/clear-cache, "{service}"], idempotent: true }
      - escalate: { notify: oncall }
notify:
  oncall: { exec: [/usr/local/bin/page, "{summary}"] }
guardrails: { fleet: { max_actions: 3, per: 10m } }
```

Editors that know JSON Schema complete and check the file while it is written: `homeostat schema` prints it
(`docs/configuration.schema.json`).

Durations are written as Prometheus does (`150ms`, `5s`, `1h30m`), sizes `10MiB`, shares `34%`. A key that is not known
is an error.

)";

/// What stands in a cell of a table must not end it.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

std::string type_cell(const Shape& shape) {
  for (const Section* section : sections()) {
    if (shape.name == section->name || shape.name.ends_with(" of " + section->name)) {
      const std::string before = shape.name.substr(0, shape.name.size() - section->name.size());
      return fmt::format("{}[{}](#{})", before, section->name, section->name);
    }
  }
  return cell(shape.name);
}

std::string default_cell(const Facts& facts) {
  if (facts.required) return "*required*";
  if (facts.fallback == "{}") return "";
  if (!facts.fallback.empty()) return fmt::format("`{}`", cell(facts.fallback));
  return cell(facts.otherwise);
}

std::string describe(const Section& section) {
  std::string out = fmt::format("<a id=\"{}\"></a>\n\n## {}\n\n{}\n\n", section.name, section.name, section.text);
  if (section.fields.empty()) return out;
  out += "| key | type | default | meaning | example |\n|---|---|---|---|---|\n";
  for (const FieldInfo& field : section.fields) {
    out += fmt::format("| `{}` | {} | {} | {} | `{}` |\n", field.key, type_cell(field.shape),
                       field.kind ? "" : default_cell(field.facts), cell(field.facts.text), cell(field.facts.example));
  }
  return out + "\n";
}

template <class T>
void append(std::vector<const Section*>& out, const Table<T>& table, const std::vector<Component<T>>& kinds) {
  out.push_back(&table.section());
  for (const Component<T>& kind : kinds) out.insert(out.end(), kind.sections.begin(), kind.sections.end());
}

}  // namespace

std::vector<const Section*> sections() {
  std::vector<const Section*> out{&file_table().section(), &service_table().section()};
  append(out, run_table(), run_kinds());
  append(out, check_table(), check_kinds());
  append(out, rung_table(), rung_kinds());
  for (const Section* section :
       {&ladder_table().section(), &issue_table().section(), &completion_table().section(), &need_table().section(),
        &prerequisite_table().section(), &min_healthy_table().section(), &backoff_table().section(),
        &budget_table().section(), &timing_table().section(), &alerts_table().section(), &guardrails_table().section(),
        &fleet_table().section(), &window_table().section(), &breakers_table().section()}) {
    out.push_back(section);
  }
  append(out, notifier_table(), notifier_kinds());
  for (const Section* section : scaling_sections()) out.push_back(section);
  for (const Section* section : rollout_sections()) out.push_back(section);
  for (const Section* section : traffic_sections()) out.push_back(section);
  return out;
}

std::string reference() {
  std::string out(kHead);
  for (const Section* section : sections()) out += describe(*section);
  while (out.ends_with("\n\n")) out.pop_back();
  return out;
}

}  // namespace homeostat::config
