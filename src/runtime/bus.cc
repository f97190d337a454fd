#include "runtime/bus.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <ctime>

namespace homeostat::runtime {
namespace {

constexpr const char* kSystemd = "org.freedesktop.systemd1";
constexpr Duration kAskEvery = std::chrono::seconds(2);
constexpr std::uint64_t kAnswerWithinUs = 3'000'000;
constexpr Duration kOpenAgain = std::chrono::milliseconds(500);
constexpr Duration kOpenWithin = std::chrono::seconds(4);  // sd-bus itself would wait for a minute and a half
constexpr int kMostAtOnce = 256;

std::uint64_t monotonic_us() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(time.tv_nsec) / 1'000;
}

std::string text_of(int error) { return std::strerror(error < 0 ? -error : error); }

struct Free {
  void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
};

Bus::Failure failure_of(const sd_bus_error& error) {
  const std::string_view name = error.name;
  const bool lost = name.starts_with("System.Error.") || name == SD_BUS_ERROR_NO_REPLY ||
                    name == SD_BUS_ERROR_TIMEOUT || name == SD_BUS_ERROR_DISCONNECTED;
  return {error.message == nullptr ? error.name : error.message, !lost};
}

int on_answer(sd_bus_message* message, void* data, sd_bus_error*) {
  auto& answer = *static_cast<Bus::Answer*>(data);
  const sd_bus_error* error = sd_bus_message_get_error(message);
  if (error == nullptr)
    answer(message);
  else
    answer(std::unexpected(failure_of(*error)));
  return 0;
}

void forget_answer(void* data) { delete static_cast<Bus::Answer*>(data); }

}  // namespace

void Bus::call(const std::string& path, const char* face, const char* member,
               std::initializer_list<std::string> arguments, Answer answer) {
  if (!bus_) return answer(std::unexpected(Failure{"it cannot be reached", true}));
  sd_bus_message* made = nullptr;
  int error = sd_bus_message_new_method_call(bus_.get(), &made, kSystemd, path.c_str(), face, member);
  const std::unique_ptr<sd_bus_message, Free> message(made);
  for (const std::string& argument : arguments) {
    if (error >= 0) error = sd_bus_message_append_basic(made, 's', argument.c_str());
  }
  auto kept = std::make_unique<Answer>(std::move(answer));
  sd_bus_slot* slot = nullptr;
  if (error >= 0) error = sd_bus_call_async(bus_.get(), &slot, made, on_answer, kept.get(), kAnswerWithinUs);
  if (error < 0) return (*kept)(std::unexpected(Failure{text_of(error), true}));
  sd_bus_slot_set_destroy_callback(slot, forget_answer);
  kept.release();
  sd_bus_slot_set_floating(slot, 1);
  sd_bus_slot_unref(slot);
  arm();
}

void Bus::match(const std::string& rule) {
  if (!bus_) return;
  const int error = sd_bus_add_match_async(bus_.get(), nullptr, rule.c_str(), on_signal, nullptr, this);
  if (error < 0) doomed_ = text_of(error);
  arm();
}

int Bus::on_signal(sd_bus_message* message, void* self, sd_bus_error*) {
  static_cast<Bus*>(self)->heard(*message);
  return 0;
}

// Another systemd than before, or none: what was asked of the one before is not answered by this one.
void Bus::heard(sd_bus_message& message) {
  if (sd_bus_message_is_signal(&message, "org.freedesktop.DBus", "NameOwnerChanged") > 0)
    doomed_ = "systemd has left the bus, or executed itself anew";
  else
    hooks_.signal(message);
}

void Bus::open() {
  next_ = later(now_, kOpenWithin);
  sd_bus* made = nullptr;
  int error = sd_bus_new(&made);
  if (error >= 0) bus_.reset(made);
  if (error >= 0) error = sd_bus_set_address(made, address_.c_str());
  if (error >= 0) error = sd_bus_set_bus_client(made, 1);
  if (error >= 0) error = sd_bus_start(made);
  if (error >= 0) error = fd_ = sd_bus_get_fd(made);
  if (error < 0) return fall(text_of(error));
  events_ = 0;
  if (auto added = loop_.add(fd_, events_, *this); !added) {
    fd_ = -1;
    return fall(added.error().text);
  }
  match(fmt::format("type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='{}'", kSystemd));
  ping();
}

void Bus::close() {
  if (fd_ >= 0) loop_.remove(fd_, *this);
  fd_ = -1;
  pinging_ = false;
  bus_.reset();
}

void Bus::fall(const std::string& why) {
  close();
  doomed_.clear();
  why_down_ = why;
  breaker_.ended(false, now_);
  next_ = breaker_.next(now_, kOpenAgain);
  up_ = false;
  hooks_.down(why);
}

void Bus::ping() {
  pinging_ = true;
  call("/org/freedesktop/systemd1", "org.freedesktop.DBus.Peer", "Ping", {},
       [this](std::expected<sd_bus_message*, Failure> reply) {
         pinging_ = false;
         next_ = later(now_, kAskEvery);
         if (!reply)
           doomed_ = reply.error().text;
         else if (!up_)
           answered();
       });
}

void Bus::answered() {
  up_ = true;
  breaker_.ended(true, now_);
  hooks_.up();
}

void Bus::process() {
  for (int i = 0; i < kMostAtOnce && bus_ && doomed_.empty(); ++i) {
    const int did = sd_bus_process(bus_.get(), nullptr);
    if (did < 0) doomed_ = text_of(did);
    if (did <= 0) break;
  }
  if (!doomed_.empty()) return fall(std::exchange(doomed_, {}));
  arm();
}

// What it waits for changes with every message.
void Bus::arm() {
  if (!bus_ || fd_ < 0) return;
  const int wanted = sd_bus_get_events(bus_.get());
  const auto events = wanted < 0 ? 0U : static_cast<std::uint32_t>(wanted);  // POLL* and EPOLL* are the same bits
  if (events == events_) return;
  loop_.modify(fd_, events, *this);
  events_ = events;
}

void Bus::ready(std::uint32_t) { process(); }

std::optional<Instant> Bus::next_deadline() const {
  std::uint64_t due = UINT64_MAX;
  if (!bus_ || sd_bus_get_timeout(bus_.get(), &due) <= 0 || due == UINT64_MAX) return next_;
  const std::uint64_t at = monotonic_us();
  const auto wait = std::chrono::microseconds(due > at ? std::min<std::uint64_t>(due - at, 60'000'000) : 0);
  return pinging_ && up_ ? later(now_, wait) : std::min(next_, later(now_, wait));
}

void Bus::advance(Instant now) {
  now_ = now;
  if (bus_) process();
  if (now < next_) return;
  if (!bus_ && !breaker_.admits(now)) return void(next_ = breaker_.next(now, kOpenAgain));
  if (!bus_)
    open();
  else if (!pinging_)
    ping();
  else if (!up_)
    fall("it does not answer");
}

}  // namespace homeostat::runtime
