// The daemon's answers to the local API, and going over to another configuration.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "config/compare.hpp"
#include "config/load.hpp"
#include "daemon/daemon.hpp"

namespace homeostat::daemon {
namespace {

std::string text_of(const std::vector<config::Problem>& problems) {
  std::string text;
  for (const config::Problem& problem : problems) text += (text.empty() ? "" : "\n") + config::render(problem);
  return text;
}

}  // namespace

// On the server's thread: only posts.
void Daemon::serve(api::Request request, api::Reply reply) {
  const bool posted = inbox_->post([this, request = std::move(request), reply] {
    if (!request.post) return reply(answer(request, nullptr));
    if (request.verb != "reload") return command(request, nullptr, reply);
    load_then(
        [this, request, reply](std::expected<config::Config, Error> loaded) { command(request, &loaded, reply); });
  });
  if (!posted) reply(api::refuse(503, "too many calls are waiting"));
}

void Daemon::command(const api::Request& request, std::expected<config::Config, Error>* loaded, api::Reply reply) {
  const std::uint64_t before = engine_->durable().seq;
  api::Response response = answer(request, loaded);
  const std::uint64_t after = engine_->durable().seq;
  if (response.status != 200 || after == before) return reply(std::move(response));
  unsent_.push_back({after, std::move(response), std::move(reply)});
}

void Daemon::send_replies() {
  const std::string& why_not = engine_->state().observe_only;
  while (!unsent_.empty() && (unsent_.front().seq <= recorder_->durable_seq() || !why_not.empty())) {
    Unsent one = std::move(unsent_.front());
    unsent_.pop_front();
    if (one.seq <= recorder_->durable_seq()) {
      one.reply(std::move(one.response));
    } else {
      one.reply(api::refuse(503, "it holds, but only until Homeostat ends, as it cannot be recorded: " + why_not));
    }
  }
}

api::Response Daemon::answer(const api::Request& request, std::expected<config::Config, Error>* loaded) {
  const api::Daemon self{*engine_,
                         *config_,
                         {now(), TimeKeeper::wall_ns()},
                         [this](engine::Operator wanted) {
                           feed(std::move(wanted));
                           drain();
                         },
                         [this, loaded](const api::ReloadAsked& asked) -> std::expected<void, Error> {
                           if (loaded == nullptr) return fail("no configuration was read");
                           if (!*loaded) return std::unexpected(loaded->error());
                           return go_over(std::move(**loaded), asked.accept_shrink);
                         }};
  return api::answer(self, request);
}

void Daemon::load_then(std::function<void(std::expected<config::Config, Error>)> then) {
  if (loading_.exchange(true)) return then(fail("another reload is under way"));
  loader_ = std::jthread([this, then = std::move(then)] {
    auto loaded = config::load(options_.config);
    std::expected<config::Config, Error> result = fail("");
    if (loaded)
      result = std::move(*loaded);
    else
      result = fail(text_of(loaded.error()));
    inbox_->post([this, then, result = std::move(result)]() mutable {
      loading_ = false;
      then(std::move(result));
    });
  });
}

std::expected<void, Error> Daemon::go_over(config::Config next, bool accept_shrink) {
  config_->plan = engine_->plan();
  const config::Comparison comparison = config::compare(*config_, next);
  if (comparison.needs_accept() && !accept_shrink) {
    give_memory_back();
    return fail(fmt::format("{} of {} services would be released; if that is meant: homeostat reload --accept-shrink",
                            comparison.removed.size(), comparison.services_before));
  }
  next.plan.generation = engine_->durable().generation + 1;
  next.plan.shadow = options_.shadow;
  const auto before = std::exchange(config_, std::make_unique<config::Config>(std::move(next)));
  engine_->reload(config_->plan, now(), out_);
  eyes_->configure(*config_);
  meters_->configure(*config_);
  router_->configure(*config_);
  hands_->configure(*config_, before.get());
  recorder_->rotate_inputs();
  carry_out(out_);
  drain();
  give_memory_back();
  spdlog::info("configuration {}: {} services", engine_->plan().generation, engine_->plan().services.size());
  return {};
}

}  // namespace homeostat::daemon
