#include "traffic/turnstile.hpp"

#include <map>
#include <utility>

namespace homeostat::traffic {

std::shared_ptr<Turnstile> Turnstile::before(const std::string& socket) {
  // The room is the kernel's, one a path, whoever of us asks: checks, metrics, weights, stops.
  static thread_local std::map<std::string, std::weak_ptr<Turnstile>> known;
  std::erase_if(known, [](const auto& one) { return one.second.expired(); });
  auto found = known[socket].lock();
  if (!found) known[socket] = found = std::make_shared<Turnstile>();
  return found;
}

void Turnstile::come(Guest& guest) {
  waiting_.push_back(&guest);
  let_in();
}

void Turnstile::leave(Guest& guest) {
  std::erase(waiting_, &guest);
  std::erase(inside_, &guest);
  let_in();
}

void Turnstile::let_in() {
  if (std::exchange(letting_in_, true)) return;  // whoever enters may leave at once
  while (!waiting_.empty() && inside_.size() < kAtOnce) {
    Guest& next = *waiting_.front();
    waiting_.pop_front();
    inside_.push_back(&next);
    next.enter();
  }
  letting_in_ = false;
}

}  // namespace homeostat::traffic
