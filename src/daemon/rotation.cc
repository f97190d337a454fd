#include "daemon/rotation.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "daemon/places.hpp"

namespace homeostat::daemon {
namespace {

constexpr Duration kLookAgain = std::chrono::milliseconds(100);
constexpr Duration kTryAgain = std::chrono::seconds(1);

bool takes_requests(const traffic::ServerSetting& server) {
  return server.up && !server.drained && !server.maintained && server.weight > 0;
}

}  // namespace

/// One server that is on its way out of or into the rotation, with a connection of its own to the proxy.
class Rotation::Task {
 public:
  Task(Rotation& owner, const traffic::Spec& spec, std::string server)
      : owner_(owner),
        server_(std::move(server)),
        haproxy_(owner.loop_, spec.haproxy, [&owner] { return owner.now_; }),
        backend_(spec.haproxy.backend) {}
  virtual ~Task() = default;
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;

  bool over() const { return over_; }
  const std::string& server() const { return server_; }
  std::string place() const { return backend_ + "/" + server_; }

  std::optional<Instant> next_deadline() const { return waiting_ ? haproxy_.next_deadline() : std::optional(next_at_); }
  void advance(Instant now) {
    haproxy_.advance(now);
    if (over_ || waiting_ || now < next_at_) return;
    waiting_ = true;
    step(now);
  }
  /// Something else is wanted of the server now.
  virtual void abandon() {}

 protected:
  virtual void step(Instant now) = 0;

  void again_in(Duration span) {
    waiting_ = false;
    next_at_ = later(owner_.now_, span);
  }
  void end() { over_ = true; }

  Rotation& owner_;
  std::string server_;
  traffic::Haproxy haproxy_;

 private:
  std::string backend_;
  bool waiting_ = false;  // for an answer of the proxy
  bool over_ = false;
  Instant next_at_ = kLongAgo;
};

class Rotation::TakingOut : public Task {
 public:
  TakingOut(Rotation& owner, const traffic::Spec& spec, std::string server, std::vector<std::string> others,
            Instant ends, Then then)
      : Task(owner, spec, std::move(server)), others_(std::move(others)), ends_(ends), then_(std::move(then)) {}

 private:
  void step(Instant now) override {
    if (now >= ends_) return finish(drained_ ? "it still has requests" : "no other server takes requests");
    if (drained_) return haproxy_.look([this](auto seen) { wait_for_requests(seen); });
    haproxy_.read_back([this](auto servers) { drain(servers); });
  }

  /// Not before another server takes the requests, where there is to be one.
  void drain(const std::expected<std::vector<traffic::ServerSetting>, Error>& servers) {
    if (!servers) return finish(servers.error().text);
    bool relieved = others_.empty();
    for (const traffic::ServerSetting& one : *servers) {
      if (one.server == server_ && one.drained) owner_.left_out_.insert(place());
      relieved = relieved || (takes_requests(one) && std::ranges::count(others_, one.server) > 0);
    }
    if (!relieved) return again_in(kLookAgain);
    haproxy_.set_drain(server_, true, [this](const auto& done) {
      if (!done) return finish(done.error().text);
      drained_ = true;
      again_in({});
    });
  }

  void wait_for_requests(const std::expected<std::vector<traffic::ServerStat>, Error>& seen) {
    if (!seen) return finish(seen.error().text);
    const auto own = std::ranges::find(*seen, server_, &traffic::ServerStat::server);
    if (own != seen->end() && own->sessions > 0) return again_in(kLookAgain);
    finish({});
  }

  void finish(const std::string& why_not) {
    if (!why_not.empty()) spdlog::warn("traffic: {} is stopped though {}", place(), why_not);
    end();
    then_(owner_.now_);
  }

  std::vector<std::string> others_;
  Instant ends_;
  bool drained_ = false;
  Then then_;
};

/// Waits until the instance is well by its own checks: the proxy's may not have noticed that it was away.
class Rotation::PuttingBack : public Task {
 public:
  PuttingBack(Rotation& owner, const traffic::Spec& spec, std::string server, std::string service, engine::Slot slot,
              const Incarnation& run)
      : Task(owner, spec, std::move(server)), service_(std::move(service)), slot_(slot), run_(run) {}
  void abandon() override { end(); }

 private:
  void step(Instant) override {
    const auto id = owner_.engine_.find_service(service_);
    if (!id || slot_ >= static_cast<engine::Slot>(owner_.engine_.plan().services[*id].instances)) return end();
    const auto& known = owner_.engine_.durable().services.at(service_).instances;
    const auto instance = known.find(slot_);
    if (instance == known.end() || instance->second.incarnation != run_) return again_in(kLookAgain);
    const Status status = owner_.engine_.instance_status(*id, slot_);
    if (status != Status::healthy && status != Status::degraded) return again_in(kLookAgain);
    haproxy_.set_drain(server_, false, [this](const auto& done) {
      if (done) return end();
      if (!std::exchange(said_, true)) {
        spdlog::warn("traffic: {} is well and cannot be put back: {}", place(), done.error().text);
      }
      again_in(kTryAgain);
    });
  }

  std::string service_;
  engine::Slot slot_;
  Incarnation run_;
  bool said_ = false;
};

Rotation::Rotation(os::Loop& loop, const engine::Engine& engine) : loop_(loop), engine_(engine) {}
Rotation::~Rotation() = default;

void Rotation::configure(const config::Config& config) { config_ = &config; }

const traffic::Spec* Rotation::spec_of(engine::ServiceId service) const {
  if (config_ == nullptr || service >= config_->traffic.size() || !config_->traffic[service]) return nullptr;
  return &*config_->traffic[service];
}

std::vector<std::string> Rotation::others_of(engine::ServiceId service, engine::Slot slot) const {
  std::vector<std::string> others;
  const auto known = engine_.durable().services.find(engine_.plan().services[service].name);
  if (known == engine_.durable().services.end()) return others;
  for (const auto& [other, instance] : known->second.instances) {
    if (other == slot || instance.state != engine::RunState::running) continue;
    others.push_back(server_of(engine_, *spec_of(service), service, other, instance.port));
  }
  return others;
}

void Rotation::begin(std::unique_ptr<Task> task) {
  for (const auto& other : tasks_) {
    if (other->place() == task->place()) other->abandon();
  }
  tasks_.push_back(std::move(task));
}

void Rotation::take_out(engine::ServiceId service, engine::Slot slot, Instant now, Then then) {
  now_ = std::max(now_, now);
  const traffic::Spec* spec = spec_of(service);
  const auto known = engine_.durable().services.find(engine_.plan().services[service].name);
  if (spec == nullptr || known == engine_.durable().services.end()) return then(now);
  const auto instance = known->second.instances.find(slot);
  if (instance == known->second.instances.end() || instance->second.state != engine::RunState::running)
    return then(now);
  begin(std::make_unique<TakingOut>(*this, *spec, server_of(engine_, *spec, service, slot, instance->second.port),
                                    others_of(service, slot), later(now, spec->drain), std::move(then)));
}

void Rotation::put_back(engine::ServiceId service, engine::Slot slot, std::uint16_t port, const Incarnation& run) {
  const traffic::Spec* spec = spec_of(service);
  if (spec == nullptr) return;
  auto task = std::make_unique<PuttingBack>(*this, *spec, server_of(engine_, *spec, service, slot, port),
                                            engine_.plan().services[service].name, slot, run);
  if (left_out_.erase(task->place()) > 0) return;
  begin(std::move(task));
}

std::optional<Instant> Rotation::next_deadline() const {
  Instant next = kNever;
  for (const auto& task : tasks_) next = std::min(next, task->next_deadline().value_or(kNever));
  return next == kNever ? std::nullopt : std::optional(next);
}

void Rotation::advance(Instant now) {
  now_ = std::max(now_, now);
  for (std::size_t i = 0; i < tasks_.size(); ++i) tasks_[i]->advance(now);  // one that ends may begin others
  std::erase_if(tasks_, [](const auto& task) { return task->over(); });
}

}  // namespace homeostat::daemon
