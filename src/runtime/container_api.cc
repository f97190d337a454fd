#include "runtime/container_api.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "core/text.hpp"
#include "runtime/json_at.hpp"

namespace homeostat::runtime {
namespace {

constexpr Duration kAskEvery = std::chrono::seconds(2);
constexpr Duration kAnswerWithin = std::chrono::seconds(3);
constexpr Duration kFirstWait = std::chrono::milliseconds(500);
constexpr Duration kLongestWait = std::chrono::seconds(30);
constexpr std::size_t kShown = 300;
constexpr const char* kEvents = "/events?filters=%7B%22type%22%3A%5B%22container%22%5D%7D";

}  // namespace

std::string problem_of(const HttpReply& reply) {
  if (!reply.error.empty()) return reply.error;
  if (reply.status < 400) return {};
  const auto body = read_object(reply.body);
  const std::string message = body ? text_at(*body, "message") : std::string();
  return message.empty() ? fmt::format("answered {}", reply.status) : printable(message, kShown);
}

void ContainerApi::call(const char* method, std::string path, std::string body, Duration within, Answered answered) {
  HttpQuestion question{.peer = peer_, .method = method, .path = std::move(path)};
  question.timeout = within;
  if (!body.empty()) question.type = "application/json";
  question.body = std::move(body);
  asker_.ask(std::move(question), now_,
             [answered = std::move(answered)](const HttpReply& reply) mutable { answered(reply); });
}

// It is heard from only when something happens; that it listens is shown by its other answers.
void ContainerApi::connect() {
  ++connections_;
  events_ = asker_.follow(
      {.peer = peer_, .path = kEvents},
      [this](std::string_view line) {
        if (const auto event = read_event(line); event && matters(*event)) hooks_.event(*event);
      },
      [this](const HttpReply& reply) {
        events_ = 0;
        const std::string problem = problem_of(reply);
        fall("its events cannot be followed: " + (problem.empty() ? "they have ended" : problem));
      });
  ping();
}

void ContainerApi::ping() {
  pinging_ = true;
  call("GET", "/_ping", {}, kAnswerWithin, [this, mine = connections_](const HttpReply& reply) {
    if (mine != connections_) return;
    pinging_ = false;
    next_ = later(now_, kAskEvery);
    if (const std::string problem = problem_of(reply); !problem.empty()) return fall(problem);
    if (up_) return;
    up_ = true;
    wait_ = Duration{};
    hooks_.up();
  });
}

void ContainerApi::fall(const std::string& why) {
  if (events_ != 0) asker_.drop(std::exchange(events_, 0));
  ++connections_;
  pinging_ = false;
  why_down_ = why;
  wait_ = std::min(std::max(kFirstWait, 2 * wait_), kLongestWait);
  next_ = later(now_, wait_);
  up_ = false;
  hooks_.down(why);
}

std::optional<Instant> ContainerApi::next_deadline() const {
  return std::min(asker_.next_deadline().value_or(kNever), pinging_ ? kNever : next_);
}

void ContainerApi::advance(Instant now) {
  now_ = now;
  asker_.advance(now);
  if (pinging_ || now < next_) return;
  events_ == 0 ? connect() : ping();
}

}  // namespace homeostat::runtime
