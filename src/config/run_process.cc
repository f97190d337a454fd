// The runtime `process`: Homeostat starts the instances itself.
#include <fmt/format.h>

#include <limits>

#include "config/draft.hpp"
#include "config/releases.hpp"

namespace homeostat::config {
namespace {

using Limits = std::vector<std::pair<int, rlimit>>;

struct Process {
  runtime::ProcessSpec spec;
  Pairs env;
  Range ports;
  std::string release;
};

/// A limit of which `unlimited` is a value too; `parse` reads the others.
template <class Parse>
void add_limit(Table<Limits>& rows, std::string key, int resource, Facts facts, std::string what, Parse parse) {
  const Type<Limits> type{{what, R"({"type":["string","integer"]})"},
                          [resource, what, parse](const Node& node, Reader& reader, Limits& out) {
                            const std::optional<rlim_t> most =
                                node.text == "unlimited" ? std::optional<rlim_t>(RLIM_INFINITY) : parse(node.text);
                            if (!node.is_scalar() || !most) {
                              return reader.problem(
                                  node.at, fmt::format("{} is neither {} nor `unlimited`", quote(node.text), what));
                            }
                            out.emplace_back(resource, rlimit{*most, *most});
                          }};
  rows.add(std::move(key), std::identity{}, type, facts);
}

std::optional<rlim_t> parse_limit_size(std::string_view text) { return parse_size(text); }
std::optional<rlim_t> parse_limit_count(std::string_view text) { return parse_count(text, 1'000'000'000); }
std::optional<rlim_t> parse_limit_seconds(std::string_view text) {
  const auto span = parse_duration(text);
  if (!span || *span < std::chrono::seconds(1)) return std::nullopt;
  return static_cast<rlim_t>(*span / std::chrono::seconds(1));
}

const Table<Limits>& limits_table() {
  static const Table<Limits> table = [] {
    Table<Limits> rows("run.process.limits",
                       "Resource limits of each process (see setrlimit(2)); without one, ours apply.");
    add_limit(rows, "nofile", RLIMIT_NOFILE, {.text = "Open files.", .example = "65536"}, "a number",
              parse_limit_count);
    add_limit(rows, "nproc", RLIMIT_NPROC, {.text = "Processes of the user.", .example = "512"}, "a number",
              parse_limit_count);
    add_limit(rows, "as", RLIMIT_AS, {.text = "Address space.", .example = "4GiB"}, "a size", parse_limit_size);
    add_limit(rows, "core", RLIMIT_CORE, {.text = "Size of a core dump.", .example = "0"}, "a size", parse_limit_size);
    add_limit(rows, "cpu", RLIMIT_CPU, {.text = "Processor time; the process is killed after it.", .example = "2h"},
              "a duration from 1s", parse_limit_seconds);
    add_limit(rows, "data", RLIMIT_DATA, {.text = "Data segment.", .example = "2GiB"}, "a size", parse_limit_size);
    add_limit(rows, "fsize", RLIMIT_FSIZE, {.text = "Size of a file written.", .example = "1GiB"}, "a size",
              parse_limit_size);
    add_limit(rows, "memlock", RLIMIT_MEMLOCK, {.text = "Locked memory.", .example = "64MiB"}, "a size",
              parse_limit_size);
    add_limit(rows, "stack", RLIMIT_STACK, {.text = "Stack.", .example = "16MiB"}, "a size", parse_limit_size);
    return rows;
  }();
  return table;
}

const Table<Process>& stop_table() {
  static const Table<Process> table = [] {
    Table<Process> rows("run.process.stop", "How an instance is stopped: SIGTERM, then SIGKILL to its whole group.");
    rows.add("grace", [](Process& process) -> auto& { return process.spec.stop_grace; }, duration_type(Duration{}),
             {.text = "Time between SIGTERM and SIGKILL.", .fallback = "10s", .example = "60s"});
    return rows;
  }();
  return table;
}

const Table<Process>& log_table() {
  static const Table<Process> table = [] {
    Table<Process> rows("run.process.log", "What an instance writes to its output and error output.");
    rows.add("max_size", [](Process& process) -> auto& { return process.spec.log_bytes; }, size_type(),
             {.text = "The output file is cut to this size.", .fallback = "10MiB", .example = "100MiB"});
    return rows;
  }();
  return table;
}

void add_program(Table<Process>& rows) {
  rows.add("command", [](Process& process) -> auto& { return process.spec.command; }, argv_type(),
           {.text = "The program and its arguments, never through a shell; `{port}`, `{instance}` and `{release}` are "
                    "filled in within each argument.",
            .example = "['{release}/serve', --port, '{port}']",
            .required = true});
  rows.add("env", &Process::env, secrets_type("variable"),
           {.text = "Variables beside our own. A value may be `{ file: path }`: read when the configuration is loaded, "
                    "never shown.",
            .otherwise = "none",
            .example = "{ LANG: C, TOKEN: { file: /etc/homeostat/token } }"});
  rows.add("cwd", [](Process& process) -> auto& { return process.spec.cwd; }, path_type(),
           {.text = "The folder to run in.", .fallback = ".", .example = "/srv/api"});
  rows.add("user", [](Process& process) -> auto& { return process.spec.user; }, text_type(),
           {.text = "The user to run as.", .otherwise = "the user Homeostat runs as", .example = "www-data"});
  rows.add("limits", [](Process& process) -> auto& { return process.spec.limits; }, limits_table().type(),
           {.text = "Resource limits.", .otherwise = "ours", .example = "{ nofile: 65536, core: 0 }"});
}

const Table<Process>& process_table() {
  static const Table<Process> table = [] {
    Table<Process> rows("run.process",
                        "Homeostat starts the instances itself, sees their exits at once and takes them over again "
                        "after its own restart.");
    add_program(rows);
    rows.add("ports", &Process::ports, port_range_type(),
             {.text = "One port an instance: the first instance gets the first, as `{port}`.",
              .otherwise = "none",
              .example = "9001-9012"});
    rows.add("releases", [](Process& process) -> auto& { return process.spec.releases; }, path_type(),
             {.text = "A folder with one folder a version; `{release}` is the instance's.",
              .otherwise = "the service has no versions",
              .example = "/srv/api"});
    rows.add("release", &Process::release, text_type(),
             {.text = "The version to begin with, needed with `releases`. Versions deployed later outlive this file.",
              .otherwise = "none",
              .example = "v1"});
    rows.add("stop", std::identity{}, stop_table().type(),
             {.text = "How it is stopped.", .fallback = "{}", .example = "{ grace: 60s }"});
    rows.add("log", std::identity{}, log_table().type(),
             {.text = "What becomes of its output.", .fallback = "{}", .example = "{ max_size: 100MiB }"});
    rows.add(
        "on_shutdown", [](Process& process) -> auto& { return process.spec.on_shutdown; },
        word_type<runtime::OnShutdown>("keep or stop",
                                       {{"keep", runtime::OnShutdown::keep}, {"stop", runtime::OnShutdown::stop}}),
        {.text = "What happens to the instances when Homeostat ends in order.", .fallback = "keep", .example = "stop"});
    return rows;
  }();
  return table;
}

void check_placeholders(const Process& process, const Node& node, Reader& reader) {
  bool release = false, port = false;
  const auto look = [&](std::string_view text) {
    release = release || text.find("{release}") != std::string_view::npos;
    port = port || text.find("{port}") != std::string_view::npos;
  };
  for (const std::string& argument : process.spec.command) look(argument);
  for (const auto& [name, text] : process.env) look(text.value);
  look(process.spec.cwd);
  if (port && process.ports.first == 0) {
    reader.problem(node.where("command"), "`{port}` is used but the service has no `ports`");
  }
  if (release && process.spec.releases.empty()) {
    reader.problem(node.where("command"), "`{release}` is used but the service has no `releases`");
  }
  check_releases(process.spec.releases, process.release, node, reader);
}

void finish(Process& process, const Node& node, Reader& reader, RunDraft& out) {
  check_placeholders(process, node, reader);
  runtime::ProcessSpec& spec = process.spec;
  for (const auto& [name, text] : process.env) spec.env.emplace_back(name, text.value);
  spec.first_port = static_cast<std::uint16_t>(process.ports.first);
  spec.last_port = static_cast<std::uint16_t>(process.ports.last);
  Fingerprint print;
  print.add("process")
      .add(spec.command)
      .add(process.env)
      .add(spec.cwd)
      .add(spec.user)
      .add(spec.first_port)
      .add(spec.releases);
  for (const auto& [resource, limit] : spec.limits) print.add(static_cast<std::uint64_t>(resource)).add(limit.rlim_cur);
  out.release = process.release;
  out.plan = {.managed = true,
              .restart = true,
              .start_stop = true,
              .releases = !spec.releases.empty(),
              .identity = print.value(),
              .stop_grace = spec.stop_grace,
              .stop_on_shutdown = spec.on_shutdown == runtime::OnShutdown::stop};
  out.spec = std::move(spec);
}

}  // namespace

Component<RunDraft> process_run() {
  return {"process",
          "Homeostat starts the instances itself.",
          "{ command: [/srv/api/serve] }",
          {&process_table().section(), &limits_table().section(), &stop_table().section(), &log_table().section()},
          [](const Node& node, Reader& reader, RunDraft& out) {
            Process process;
            process_table().read(node, reader, process);
            finish(process, node, reader, out);
          }};
}

}  // namespace homeostat::config
