#include "cli/follow.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>

#include "cli/show.hpp"
#include "config/value.hpp"

namespace homeostat::cli {
namespace {

constexpr std::chrono::milliseconds kPoll{200};
// Without an action of ours in the journal by then there was nothing to do.
constexpr std::chrono::seconds kBegins{5};

std::string id_of(const json::object& record) {
  const json::object* id = object_at(record, "id");
  return id == nullptr ? "" : text_at(*id, "epoch") + "-" + text_at(*id, "counter");
}

}  // namespace

std::optional<Place> parse_place(const std::string& text) {
  const std::size_t slash = text.find('/');
  Place place{text.substr(0, slash), std::nullopt};
  if (slash != std::string::npos) {
    const auto slot = config::parse_count(text.substr(slash + 1), 999'999);
    if (!slot) return std::nullopt;
    place.slot = static_cast<std::int32_t>(*slot);
  }
  return config::is_name(place.service) ? std::optional(place) : std::nullopt;
}

std::optional<Failure> Follower::poll() {
  const Answer news = lines(context_, after_, place_.service);
  if (!news) return news.error();
  for (const json::value& item : list_at(*news, "lines")) {
    const json::object& line = item.as_object();
    const json::object* record = object_at(line, "record");
    if (record == nullptr) continue;
    if (text_at(line, "kind") == "operation") {
      operations_.push_back({id_of(*record), text_at(*record, "kind"), text_at(*record, "version", ""),
                             text_at(*record, "phase"), text_at(*record, "detail", "")});
    }
    if (text_at(line, "kind") == "rollout") note_rollout(line, *record);
    note_action(line);
    show(line);
  }
  after_ = std::max(after_, static_cast<std::uint64_t>(number_at(*news, "last")));
  return std::nullopt;
}

void Follower::show(const json::object& line) {
  if (flag_at(line, "detail")) return;
  const std::string text = context_.json ? json::serialize(line) : show_line(line, context_.color());
  std::printf("%s\n", text.c_str());
  std::fflush(stdout);
}

void Follower::note_action(const json::object& line) {
  const json::object& record = *object_at(line, "record");
  const std::string kind = text_at(line, "kind");
  const std::int64_t slot = number_at(line, "slot", -1);
  if (place_.slot && slot != *place_.slot) return;
  if (kind == "intent" && text_at(record, "mode") != "shadow") actions_[id_of(record)] = 0;
  const auto action = actions_.find(id_of(record));
  if (action == actions_.end()) return;
  if (kind == "outcome" && text_at(record, "outcome") != "succeeded") action->second = -1;
  if (kind == "verified") action->second = flag_at(record, "ok") ? 1 : -1;
}

int Follower::conclude(bool ok, const std::string& text) const {
  if (context_.json) {
    std::printf("%s\n", json::serialize(json::object{{"ok", ok}, {"text", text}}).c_str());
  } else {
    std::printf("%s\n", paint(text, ok ? Color::green : Color::red, context_.color()).c_str());
  }
  return ok ? kOk : kBad;
}

int Follower::until_operation_ends(const std::string& kind, const std::string& version) {
  std::string id;
  const auto deadline = std::chrono::steady_clock::now() + kBegins;
  while (true) {
    if (const auto failure = poll()) return complain(*failure);
    for (const Operation& operation : operations_) {
      if (id.empty() && operation.kind == kind && operation.version == version) id = operation.id;
      if (operation.id != id || operation.phase == "running") continue;
      const bool done = operation.phase == "done";
      return conclude(done, done ? "done" : "stopped: " + operation.detail);
    }
    operations_.clear();
    if (id.empty() && std::chrono::steady_clock::now() > deadline) return conclude(false, "the engine began nothing");
    std::this_thread::sleep_for(kPoll);
  }
}

bool Follower::as_wanted(const json::object& service, bool running) const {
  return std::ranges::all_of(list_at(service, "instances"), [&](const json::value& item) {
    const json::object& instance = item.as_object();
    if (place_.slot && number_at(instance, "slot") != *place_.slot) return true;
    const std::string status = text_at(instance, "status");
    const bool runs = text_at(instance, "state") == "running";
    return running ? runs && (status == "healthy" || status == "degraded") : !runs;
  });
}

void Follower::note_rollout(const json::object& line, const json::object& record) {
  const json::object* state = object_at(record, "state");
  if (state == nullptr) return;
  rollout_phase_ = text_at(*state, "phase");
  rollout_end_ = text_at(line, "text");
}

int Follower::until_rollout_ends() {
  while (true) {
    if (const auto failure = poll()) return complain(*failure);
    if (rollout_phase_ == "promoted") return conclude(true, "promoted");
    if (rollout_phase_ == "rolled_back") return conclude(false, rollout_end_);
    std::this_thread::sleep_for(kPoll);
  }
}

int Follower::until_moved(bool running) {
  const auto deadline = std::chrono::steady_clock::now() + kBegins;
  while (true) {
    const Answer now = status(context_, place_.service);
    if (!now) return complain(now.error());
    if (const auto failure = poll()) return complain(*failure);
    const auto& services = list_at(*now, "services");
    const json::object service = services.empty() ? json::object{} : services.at(0).as_object();
    const bool busy = std::ranges::any_of(actions_, [](const auto& a) { return a.second == 0; });
    const bool bad = std::ranges::any_of(actions_, [](const auto& a) { return a.second < 0; });
    const bool wanted = flag_at(service, "managed") ? as_wanted(service, running)
                                                    : !actions_.empty() || std::chrono::steady_clock::now() > deadline;
    if (!busy && bad && !(flag_at(service, "managed") && wanted)) return conclude(false, "it did not prove well");
    if (!busy && wanted) return conclude(true, running ? "running" : "stopped");
    std::this_thread::sleep_for(kPoll);
  }
}

}  // namespace homeostat::cli
