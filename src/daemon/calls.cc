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
    if (!request.post || request.verb != "reload") return reply(answer(request, nullptr));
    load_then([this, request, reply](std::expected<config::Config, Error> loaded) { reply(answer(request, &loaded)); });
  });
  if (!posted) reply(api::refuse(503, "too many calls are waiting"));
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
  const config::Comparison comparison = config::compare(*config_, next);
  if (comparison.needs_accept() && !accept_shrink) {
    return fail(fmt::format("{} of {} services would be released; if that is meant: homeostat reload --accept-shrink",
                            comparison.removed.size(), comparison.services_before));
  }
  next.plan.generation = engine_->durable().generation + 1;
  next.plan.shadow = options_.shadow;
  const auto before = std::exchange(config_, std::make_unique<config::Config>(std::move(next)));
  engine_->reload(config_->plan, now(), out_);
  eyes_->configure(*config_);
  hands_->configure(*config_, before.get());
  recorder_->rotate_inputs();
  carry_out(out_);
  drain();
  spdlog::info("configuration {}: {} services", config_->plan.generation, config_->plan.services.size());
  return {};
}

}  // namespace homeostat::daemon
