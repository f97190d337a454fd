#include "runtime/container_order.hpp"

#include <fmt/core.h>

#include <utility>

#include "core/text.hpp"
#include "runtime/container_copy.hpp"

namespace homeostat::runtime {

using engine::Op;
using engine::OutcomeKind;

namespace {

constexpr Duration kLookWithin = std::chrono::seconds(5);
constexpr int kNotFound = 404;
constexpr int kServerFailed = 500;

std::string new_name(const KeptSpec& spec) { return spec.unit + "-homeostat-new"; }

}  // namespace

std::string version_of(const std::string& image, const KeptSpec& spec) {
  const std::string prefix = spec.image + ":";
  return !spec.image.empty() && image.starts_with(prefix) ? image.substr(prefix.size()) : std::string();
}

std::string aside_name(const KeptSpec& spec) { return spec.unit + "-homeostat-old"; }

struct ContainerOrder::Call {
  const char* method;
  std::string path;
  std::string body{};
};

ContainerOrder::ContainerOrder(ContainerApi& api, Order order, KeptSpec spec, std::string source, Instant ends,
                               Done done)
    : api_(api),
      order_(std::move(order)),
      spec_(std::move(spec)),
      source_(std::move(source)),
      ends_(ends),
      done_(std::move(done)) {}

void ContainerOrder::begin() {
  look(spec_.unit, [this](const HttpReply& reply) {
    if (reply.status == kNotFound) return look_aside();
    state_ = reply.status == 200 ? read_container(reply.body) : std::nullopt;
    if (!state_) return end(OutcomeKind::not_started, "it does not tell of the container: " + problem_of(reply));
    judge();
  });
}

// There is none of its name: an earlier order may have ended between the old one and the new one.
void ContainerOrder::look_aside() {
  look(aside_name(spec_), [this](const HttpReply& reply) {
    missing_ = reply.status == kNotFound;
    if (missing_) return judge();
    const auto old = reply.status == 200 ? read_container(reply.body) : std::nullopt;
    if (!old) return end(OutcomeKind::not_started, "it does not tell of the container: " + problem_of(reply));
    old_ = old->id;
    asked_ = true;
    const Call back = call_of(Step::put_back);
    api_.call(back.method, back.path, {}, kLookWithin, [this, alive = std::weak_ptr(alive_)](const HttpReply& answer) {
      if (alive.expired()) return;
      if (const std::string why = problem_of(answer); !why.empty()) return end(OutcomeKind::failed, why);
      begin();
    });
  });
}

void ContainerOrder::look(const std::string& name, std::move_only_function<void(const HttpReply&)> seen) {
  api_.call("GET", "/containers/" + name + "/json", {}, kLookWithin,
            [alive = std::weak_ptr(alive_), seen = std::move(seen)](const HttpReply& reply) mutable {
              if (!alive.expired()) seen(reply);
            });
}

std::string ContainerOrder::refusal() const {
  if (!state_) {
    if (!order_.expected.none()) return "the container that was meant is not there any more";
    if (order_.op == Op::stop || !source_.empty()) return {};
    return fmt::format("there is no container {}, and none whose settings it could have: create it once by hand",
                       spec_.unit);
  }
  const bool runs = state_->runs();
  if (!runs && !state_->rests()) return sight_of(*state_, EndedBy::undecided).detail;
  if (order_.op != Op::stop && !order_.version.empty() && version_of(state_->image, spec_).empty()) {
    return fmt::format("it is made of {}, which is no version of {}: write `image` as it is told by `inspect`",
                       printable(state_->image, 200), spec_.image);
  }
  if (order_.expected.none() && runs && order_.op != Op::restart) return "it runs already";
  if (order_.expected.none()) return {};
  if (!runs) return "the run that was meant has ended";
  return state_->run() == order_.expected ? "" : "another run than the one that was meant";
}

void ContainerOrder::judge() {
  if (const std::string why = refusal(); !why.empty()) return end(OutcomeKind::not_started, why);
  ran_ = state_ && state_->runs();
  if (order_.op == Op::stop && !ran_) return end(OutcomeKind::succeeded, "");
  if (state_) old_ = state_->id;
  plan();
  next();
}

void ContainerOrder::plan() {
  if (order_.op == Op::stop) {
    steps_ = {Step::stop, Step::look};
    return;
  }
  if (state_ && (order_.version.empty() || state_->image == image())) {
    steps_ = {ran_ ? Step::restart : Step::start, Step::look};
    return;
  }
  const auto then = [this](bool needed, Step step) {
    if (needed) steps_.push_back(step);
  };
  const bool old = state_.has_value();
  steps_ = {Step::read_settings, Step::read_image};
  then(spec_.by == KeptSpec::By::podman, Step::read_own_words);
  then(true, Step::clear);
  then(old, Step::clear_old);
  then(true, Step::create);
  then(old && ran_, Step::stop);
  then(old, Step::put_aside);
  for (const Step step : {Step::put_in_place, Step::start, Step::look}) then(true, step);
  then(old, Step::remove_old);
}

std::string ContainerOrder::image() const { return spec_.image + ":" + order_.version; }

ContainerOrder::Call ContainerOrder::call_of(Step step) const {
  const std::string& now = new_.empty() ? old_ : new_;
  const auto at = [](const std::string& id, std::string_view what) {
    return fmt::format("/containers/{}{}", id, what);
  };
  // It is said how long, for podman would not wait at all for the end of what it restarts.
  const auto wait = std::chrono::duration_cast<std::chrono::seconds>(state_ ? state_->stop_within : Duration{}).count();
  switch (step) {
    case Step::read_settings:
      return {"GET", at(state_ ? old_ : source_, "/json")};
    case Step::read_own_words:
      return {"GET", "/v4.0.0/libpod" + at(state_ ? old_ : source_, "/json")};
    case Step::read_image:
      return {"GET", "/images/" + (read_container(settings_).value_or(ContainerState{}).image_id) + "/json"};
    case Step::clear:
      return {"DELETE", at(new_name(spec_), "?force=1")};
    case Step::clear_old:
      return {"DELETE", at(aside_name(spec_), "?force=1")};
    case Step::create:
      return {"POST", "/containers/create?name=" + new_name(spec_), settings_};
    case Step::stop:
      return {"POST", at(old_, fmt::format("/stop?t={}", wait))};
    case Step::put_aside:
      return {"POST", at(old_, "/rename?name=") + aside_name(spec_)};
    case Step::put_in_place:
      return {"POST", at(new_, "/rename?name=") + spec_.unit};
    case Step::put_back:
      return {"POST", at(old_, "/rename?name=") + spec_.unit};
    case Step::start:
      return {"POST", at(now, "/start")};
    case Step::start_old:
      return {"POST", at(old_, "/start")};
    case Step::restart:
      return {"POST", at(old_, fmt::format("/restart?t={}", wait))};
    case Step::look:
      return {"GET", at(spec_.unit, "/json")};
    case Step::remove_old:
      return {"DELETE", at(old_, "?force=1")};
    case Step::remove_new:
      return {"DELETE", at(new_, "?force=1")};
  }
  return {"GET", "/_ping"};
}

void ContainerOrder::next() {
  if (steps_.empty()) {
    if (why_back_.empty()) return end(OutcomeKind::succeeded, "");
    return end(stopped_ || aside_ ? OutcomeKind::failed : OutcomeKind::not_started, why_back_);
  }
  const Step step = steps_.front();
  steps_.pop_front();
  Call call = call_of(step);
  asked_ = asked_ || call.method != std::string_view("GET");
  api_.call(call.method, std::move(call.path), std::move(call.body), spec_.timeout,
            [this, step, alive = std::weak_ptr(alive_)](const HttpReply& reply) {
              if (alive.expired()) return;
              // What was heard and not answered may have been done.
              if (!reply.error.empty()) {
                const bool unknown = reply.heard && asked_;
                return end(unknown  ? OutcomeKind::unknown
                           : asked_ ? OutcomeKind::failed
                                    : OutcomeKind::not_started,
                           reply.error);
              }
              took(step, reply);
            });
}

void ContainerOrder::took(Step step, const HttpReply& reply) {
  // Nothing left from an earlier attempt; an image that is not there any more; what could not be tidied away.
  const bool may_fail = step == Step::clear || step == Step::clear_old || step == Step::read_image ||
                        step == Step::read_own_words || step == Step::remove_old || step == Step::look;
  if (const std::string why = problem_of(reply); !why.empty() && !may_fail) return refused(step, why, reply.status);
  if (step == Step::read_settings) settings_ = reply.body;
  if (step == Step::read_image) {
    const std::string its = read_container(settings_).value_or(ContainerState{}).image;
    auto copy =
        copy_settings(settings_, reply.status == 200 ? reply.body : std::string(),
                      spec_.image.empty() || order_.version.empty() ? its : image(), state_ ? -1 : order_.target.slot);
    if (!copy) return end(OutcomeKind::not_started, copy.error().text);
    settings_ = std::move(*copy);
  }
  if (step == Step::read_own_words) {
    std::string lost = lost_in_a_copy(reply.status == 200 ? reply.body : std::string());
    if (!lost.empty()) return end(OutcomeKind::not_started, lost);
  }
  if (step == Step::create) new_ = made_container(reply.body);
  if (step == Step::create && new_.empty()) return end(OutcomeKind::unknown, "it does not tell what it has made");
  stopped_ = stopped_ || step == Step::stop;
  aside_ = aside_ || step == Step::put_aside;
  if (step == Step::look) return looked(reply);
  next();
}

void ContainerOrder::refused(Step step, const std::string& why, int status) {
  if (!why_back_.empty()) {
    why_back_ += "; and on the way back: " + why;
    return next();
  }
  const bool simple = new_.empty() && !aside_ && !stopped_;
  if (!simple || step == Step::create) return go_back(why);
  end(status >= kServerFailed ? OutcomeKind::failed : OutcomeKind::not_started, why);
}

void ContainerOrder::looked(const HttpReply& reply) {
  state_ = reply.status == 200 ? read_container(reply.body) : std::nullopt;
  missing_ = reply.status == kNotFound;
  if (!why_back_.empty()) return next();
  const bool runs = state_ && state_->runs();
  if (runs == (order_.op != Op::stop)) return next();
  const std::string why = state_ ? sight_of(*state_, EndedBy::itself).detail : problem_of(reply);
  new_.empty() ? end(OutcomeKind::failed, why) : go_back(why);
}

void ContainerOrder::go_back(const std::string& why) {
  why_back_ = why;
  steps_.clear();
  if (!new_.empty()) steps_.push_back(Step::remove_new);
  if (aside_) steps_.push_back(Step::put_back);
  if (stopped_ && ran_) steps_.push_back(Step::start_old);
  if (!old_.empty()) steps_.push_back(Step::look);
  next();
}

void ContainerOrder::give_up(const std::string& why) {
  end(asked_ ? OutcomeKind::unknown : OutcomeKind::not_started, why);
}

void ContainerOrder::end(OutcomeKind kind, const std::string& detail) {
  alive_.reset();
  auto done = std::move(done_);
  done({kind, detail, state_, missing_});  // this may be destroyed by it
}

}  // namespace homeostat::runtime
