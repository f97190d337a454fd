// What a check looks at, as configured: one struct a kind. `{port}`, `{instance}`, `{release}` are filled in per run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/compact.hpp"
#include "homeostat/time.hpp"
#include "probe/condition.hpp"
#include "traffic/spec.hpp"

namespace homeostat::probe {

/// An HTTP status or a range of them, both ends included.
struct StatusRange {
  int first = 200;
  int last = 299;
  friend bool operator==(const StatusRange&, const StatusRange&) = default;
};

enum class Connection : std::uint8_t { reuse, fresh };

/// How a server is verified.
struct Trust {
  std::string ca_file;      // empty: the system's
  std::string server_name;  // SNI and verification; empty: host
  friend bool operator==(const Trust&, const Trust&) = default;
};

/// There may be thousands of these: what most of them do not say takes little room.
struct HttpSpec {
  bool tls = false;
  std::string host;        // name or address; default 127.0.0.1
  std::string port;        // number or "{port}"
  std::string path = "/";  // with query; may contain {instance}
  std::string method = "GET";
  std::vector<std::pair<std::string, std::string>> headers;
  std::vector<StatusRange> status{{200, 299}};
  Text contains;             // the body must contain this; empty: no condition
  Text matches;              // RE2 the body must match somewhere; empty: no condition
  Duration latency_below{};  // slower is a failure; 0: off
  std::uint32_t follow_redirects = 0;
  Connection connection = Connection::reuse;
  std::uint32_t fresh_every = 10;  // with reuse: every Nth run opens a new connection
  Boxed<Trust> trust;              // tls: absent: all as usual
  friend bool operator==(const HttpSpec&, const HttpSpec&) = default;
};

struct TcpSpec {
  std::string host;
  std::string port;
  std::string send;    // bytes to send after connecting
  std::string expect;  // what the answer must begin with; empty: connecting is enough
};

struct ExecSpec {
  std::vector<std::string> argv;
  std::vector<std::pair<std::string, std::string>> env;
  std::string cwd;
  std::string user;
};

struct FileSpec {
  std::string path;
  Duration newer_than{};  // 0: it only has to exist
};

/// The instance's process is there.
struct ProcessSpec {};

/// The instance as its runtime sees it: running and not unwell, and not restarted again and again by the runtime.
struct RuntimeSpec {
  std::uint32_t restarts = 0;  // that many within `within` are too many; 0: they are not counted
  Duration within{};
};

/// A number that a Prometheus computes fulfils a condition, or does not for less than `held_for`.
struct PromqlSpec {
  Boxed<HttpSpec> request;  // with the query, and a second one that says whether the condition holds
  std::string expect;       // the condition as it is written, "< 0.05"
  Duration held_for{};
  Duration fresh_within = std::chrono::minutes(1);
};

/// A number that HAProxy counts fulfils a condition.
struct HaproxySpec {
  traffic::HaproxyPlace place;
  std::string server;  // the instance's there; empty: the backend as a whole
  std::string field;   // as HAProxy calls it
  bool grows = false;  // … and only counts it up: so many a second are meant
  Condition expect;
  friend bool operator==(const HaproxySpec&, const HaproxySpec&) = default;
};

/// No alert fires that has all these labels.
struct AlertSpec {
  std::vector<std::pair<std::string, std::string>> labels;
};

using Spec =
    std::variant<HttpSpec, TcpSpec, ExecSpec, FileSpec, ProcessSpec, RuntimeSpec, PromqlSpec, HaproxySpec, AlertSpec>;

/// What `{port}`, `{instance}` and `{release}` stand for in one run.
struct Place {
  std::uint16_t port = 0;
  std::uint32_t instance = 0;
  std::string release{};  // its folder
  std::string version{};  // its name
};

}  // namespace homeostat::probe
