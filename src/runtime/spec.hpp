// How a service is run, as configured: one struct a kind of runtime.
#pragma once

#include <sys/resource.h>

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "homeostat/time.hpp"

namespace homeostat::runtime {

/// What happens to the instances when Homeostat ends in order.
enum class OnShutdown : std::uint8_t { keep, stop };

struct ProcessSpec {
  std::vector<std::string> command{};  // {port} {instance} {release} are filled in within each argument
  std::vector<std::pair<std::string, std::string>> env{};
  std::string cwd{};
  std::string user{};
  std::vector<std::pair<int, rlimit>> limits{};
  std::uint16_t first_port = 0;  // 0: no ports
  std::uint16_t last_port = 0;
  std::string releases{};  // {release} = releases/<version>; empty: no releases
  Duration stop_grace = std::chrono::seconds(10);
  std::uint64_t log_bytes = 10 << 20;  // the output file is cut to this size
  OnShutdown on_shutdown = OnShutdown::keep;
};

/// The user's own commands; an empty one: the runtime cannot do that.
struct ExecSpec {
  std::vector<std::string> start{};
  std::vector<std::string> stop{};
  std::vector<std::string> restart{};
  std::vector<std::string> rollback{};
  std::vector<std::string> scale{};
  std::vector<std::string> count{};  // prints how many run; without it the exit status of `scale` is believed
  std::vector<std::string> drain{};  // before `scale` makes it fewer
  std::vector<std::string> status{};
  std::string user{};
  std::string cwd{};
  Duration timeout = std::chrono::seconds(60);
  Duration count_within = std::chrono::seconds(60);  // so long it may take until there are as many as `scale` was told
  bool idempotent = false;                           // may be repeated when the outcome is unknown
};

/// Somebody else who runs an instance: we ask him to start and stop it, and hear from him how it is.
struct KeptSpec {
  enum class By : std::uint8_t { systemd, supervisord, docker, podman };
  By by = By::systemd;
  std::string peer{};      // where he is reached: an address of D-Bus; "unix:/path" or "address:port" of a server
  std::string login{};     // "user:password"; empty: none
  std::string unit{};      // what the instance is called there; {instance} is filled in
  std::string image{};     // of containers: its name without the tag, which is the version; empty: no releases
  std::string releases{};  // a folder with one folder a version; empty: no releases
  std::string link{};      // with releases: the symbolic link to the folder of the version that runs
  Duration timeout = std::chrono::minutes(2);  // of what he is asked to do; what takes longer has an unknown outcome
  friend bool operator==(const KeptSpec&, const KeptSpec&) = default;
};

using Spec = std::variant<ProcessSpec, ExecSpec, KeptSpec>;

}  // namespace homeostat::runtime
