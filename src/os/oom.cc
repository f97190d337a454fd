#include "os/oom.hpp"

#include <chrono>
#include <fstream>
#include <utility>

namespace homeostat::os {

OomWatch::OomWatch(std::string file) : file_(std::move(file)), before_(count()), last_(before_) {}

void OomWatch::advance(Instant now) {
  if (now < later(looked_, std::chrono::seconds(5))) return;
  looked_ = now;
  before_ = std::exchange(last_, count());
}

bool OomWatch::lately() const {
  const auto now = count();
  return now && before_ && *now > *before_;
}

std::optional<std::uint64_t> OomWatch::count() const {
  std::ifstream file(file_);
  std::string key;
  std::uint64_t number = 0;
  while (file >> key >> number) {
    if (key == "oom_kill") return number;
  }
  return std::nullopt;
}

}  // namespace homeostat::os
