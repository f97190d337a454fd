// The runtime `supervisord`: programs that supervisord runs.
#include <fmt/format.h>

#include "config/draft.hpp"

namespace homeostat::config {
namespace {

struct Supervisord {
  runtime::KeptSpec spec;
  std::string user;
  SecretText password;
};

const Table<Supervisord>& supervisord_table() {
  static const Table<Supervisord> table = [] {
    Table<Supervisord> rows("run.supervisord",
                            "A program of supervisord, over XML-RPC: Homeostat starts, stops and restarts it. What "
                            "somebody stops with `supervisorctl stop` stays stopped, and while `autorestart` brings it "
                            "back Homeostat waits.");
    rows.add("program", [](Supervisord& one) -> auto& { return one.spec.unit; }, text_type(),
             {.text = "The program's name, `group:name` where it is in a group. With several instances `{instance}` is "
                      "filled in.",
              .example = "'web:web_{instance}'",
              .required = true});
    rows.add("server", [](Supervisord& one) -> auto& { return one.spec.peer; }, text_type(),
             {.text = "Where supervisord is: `unix:PATH` of its socket, or `ADDRESS:PORT` of its server.",
              .fallback = "unix:/run/supervisor.sock",
              .example = "127.0.0.1:9001"});
    rows.add("user", &Supervisord::user, text_type(),
             {.text = "Its user, where it has one.", .otherwise = "none", .example = "admin"});
    rows.add("password", &Supervisord::password, secret_type(),
             {.text = "The user's password.",
              .otherwise = "needed with `user`",
              .example = "{ file: /etc/homeostat/supervisord }"});
    rows.add("timeout", [](Supervisord& one) -> auto& { return one.spec.timeout; },
             duration_type(std::chrono::seconds(1)),
             {.text = "What it has not finished by then has an unknown outcome: longer than the program's `startsecs` "
                      "and `stopwaitsecs` together.",
              .fallback = "1m",
              .example = "5m"});
    return rows;
  }();
  return table;
}

bool is_program(std::string_view name) {
  return !name.empty() && name.size() <= 255 && name.find_first_of(" \t\r\n<>&'\"") == std::string_view::npos;
}

bool is_server(std::string_view server) {
  if (server.starts_with("unix:/")) return server.size() <= 107;
  const auto colon = server.rfind(':');
  return colon != std::string_view::npos && colon > 0 && parse_count(server.substr(colon + 1), 65535).value_or(0) > 0 &&
         server.substr(0, colon).find_first_not_of("0123456789abcdefABCDEF.:[]") == std::string_view::npos;
}

void finish(Supervisord& supervisord, const Node& node, Reader& reader, RunDraft& out) {
  runtime::KeptSpec& spec = supervisord.spec;
  if (node.find("program") != nullptr && !is_program(spec.unit)) {
    reader.problem(node.where("program"), fmt::format("{} is no name of a program", quote(spec.unit)));
  }
  if (!is_server(spec.peer)) {
    reader.problem(
        node.where("server"),
        fmt::format("{} is neither `unix:/PATH` nor `ADDRESS:PORT` with a numeric address", quote(spec.peer)));
  }
  if ((node.find("user") == nullptr) != (node.find("password") == nullptr)) {
    reader.problem(node.at, "`user` and `password` belong together");
  }
  spec.by = runtime::KeptSpec::By::supervisord;
  if (!supervisord.user.empty()) spec.login = supervisord.user + ":" + supervisord.password.value;
  Fingerprint print;
  print.add("supervisord").add(spec.peer).add(spec.unit).add(supervisord.user).add(supervisord.password.source);
  out.plan = {.managed = true,
              .restart = true,
              .start_stop = true,
              .releases = false,
              .identity = print.value(),
              .stop_grace = spec.timeout};
  out.spec = std::move(spec);
}

}  // namespace

Component<RunDraft> supervisord_run() {
  return {"supervisord",
          "A program of supervisord.",
          "{ program: web }",
          {&supervisord_table().section()},
          [](const Node& node, Reader& reader, RunDraft& out) {
            Supervisord supervisord;
            supervisord_table().read(node, reader, supervisord);
            finish(supervisord, node, reader, out);
          }};
}

}  // namespace homeostat::config
