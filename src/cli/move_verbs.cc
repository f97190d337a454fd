// start, stop, restart, deploy: what moves instances, and waits until they have moved.
#include <memory>

#include "cli/follow.hpp"
#include "cli/table.hpp"

namespace homeostat::cli {
namespace {

struct MoveOptions {
  std::string place;
  std::string version;
  bool force = false;
  bool no_wait = false;
};

int accepted(const Context& context, const json::object& answer) {
  if (context.json)
    std::printf("%s\n", json::serialize(answer).c_str());
  else
    std::printf("accepted\n");
  return kOk;
}

int move(const Context& context, const std::string& verb, const MoveOptions& options) {
  const auto place = parse_place(options.place);
  if (!place) return complain(kUsage, "`" + options.place + "` is neither SERVICE nor SERVICE/INSTANCE");
  json::object body{{"service", place->service}};
  if (place->slot) body["slot"] = *place->slot;
  const Answer answer = post(context, "/v1/" + verb, body);
  if (!answer) return complain(answer.error());
  if (options.no_wait) return accepted(context, *answer);
  Follower follower(context, *place, static_cast<std::uint64_t>(number_at(*answer, "seq")));
  return verb == "restart" ? follower.until_operation_ends("restart_all", "") : follower.until_moved(verb == "start");
}

int deploy(const Context& context, const MoveOptions& options) {
  const auto place = parse_place(options.place);
  if (!place || place->slot) return complain(kUsage, "`" + options.place + "` is no service");
  const Answer answer = post(context, "/v1/deploy",
                             {{"service", place->service}, {"version", options.version}, {"force", options.force}});
  if (!answer) return complain(answer.error());
  if (options.no_wait) return accepted(context, *answer);
  Follower follower(context, *place, static_cast<std::uint64_t>(number_at(*answer, "seq")));
  const Answer now = status(context, place->service);
  if (!now) return complain(now.error());
  const json::array& services = list_at(*now, "services");
  const bool staged = !services.empty() && services.at(0).as_object().contains("staged") &&
                      flag_at(services.at(0).as_object(), "staged");
  return staged ? follower.until_rollout_ends() : follower.until_operation_ends("deploy", options.version);
}

void add_waiting(CLI::App* verb, const std::shared_ptr<MoveOptions>& options) {
  verb->add_flag("--no-wait,!--wait", options->no_wait,
                 "Do not wait for the end; without it, ^C ends only the waiting");
}

}  // namespace

void add_move_verbs(CLI::App& app, Context& context) {
  const auto add_move = [&](const std::string& name, const std::string& what) {
    const auto options = std::make_shared<MoveOptions>();
    CLI::App* verb = add_verb(app, context, name, what, "homeostat " + name + " web/0",
                              [&context, name, options] { return move(context, name, *options); });
    verb->add_option("SERVICE[/INSTANCE]", options->place, "The service, or one instance of it")->required();
    add_waiting(verb, options);
  };
  add_move("start", "Start a service or one instance that was stopped");
  add_move("stop", "Stop a service or one instance; it stays stopped until `start`");
  add_move("restart", "Restart a service, instance by instance, or one instance");

  const auto options = std::make_shared<MoveOptions>();
  CLI::App* verb = add_verb(app, context, "deploy",
                            "Move a service to a release, instance by instance; stops at the first that is not well",
                            "homeostat deploy web v2", [&context, options] { return deploy(context, *options); });
  verb->add_option("SERVICE", options->place, "The service")->required();
  verb->add_option("VERSION", options->version, "The release: a folder of the service's `releases`")->required();
  verb->add_flag("--force", options->force, "Even when the release is quarantined");
  add_waiting(verb, options);
}

}  // namespace homeostat::cli
