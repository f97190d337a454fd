// What may take its time goes on a thread of its own: TLS, host names, regular expressions over bodies, redirects.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <variant>
#include <vector>

#include "probe/judge.hpp"
#include "probe/source.hpp"
#include "probe/spec.hpp"

namespace homeostat::probe {

struct SlowRequest {
  std::variant<HttpSpec, TcpSpec> what;     // filled
  std::shared_ptr<const re2::RE2> pattern;  // of `matches`; null: none
  std::vector<Selection> numbers{};         // read out of the answer; a check wants none
};

/// The thread begins with the first run.
class SlowPath {
 public:
  /// `done` is called on the thread of the slow path, once a run.
  using Done = std::function<void(std::uint32_t target, std::uint64_t ticket, Finding&&)>;

  explicit SlowPath(Done done);
  ~SlowPath();

  /// False: too many runs are under way, nothing was started.
  bool start(std::uint32_t target, std::uint64_t ticket, std::shared_ptr<const SlowRequest> request, Duration timeout);

 private:
  struct Thread;

  Done done_;
  std::unique_ptr<Thread> thread_;
};

}  // namespace homeostat::probe
