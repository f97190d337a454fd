// Services that are containers of a real podman or dockerd, each with a way of its own to be looked after.
#pragma once

#include "containers.hpp"
#include "silencer.hpp"

namespace homeostat::lab {

class ContainerTest : public ::testing::TestWithParam<const char*> {
 protected:
  /// `script` begins a podman or dockerd.
  explicit ContainerTest(std::string script) : script_(std::move(script)) {}
  static std::string kind() { return GetParam(); }
  void begin(const std::vector<Made>& all, const std::vector<std::string>& services = {}) {
    containers_.emplace(lab_, script_, kind());
    if (const std::string why = containers_->wait(); !why.empty()) {
      fmt::print("{}\n", containers_->log());
      GTEST_SKIP() << why;
    }
    std::vector<std::string> texts = services;
    for (const Made& one : all) {
      ASSERT_TRUE(containers_->make(one)) << containers_->log();
      if (services.empty()) texts.push_back(service(one.name));
    }
    lab_.configure(texts);
    ASSERT_TRUE(lab_.start()) << lab_.log();
  }
  std::string run(const std::string& container, const std::string& more = "") const {
    return fmt::format("run: {{ {}: {{ container: '{}', socket: {}/{}{} }} }}", kind(), container, lab_.dir(), socket_,
                       more);
  }
  /// Looked at once a minute: what is noticed sooner was told.
  std::string service(const std::string& name, const std::string& more = "", const std::string& keys = "",
                      const std::string& container = "") const {
    return fmt::format(
        "  {0}: {{ {1}, checks: {{ process: {{ process: {{}}, interval: 1m, fast_interval: 100ms }}{2} }}, "
        "remediation: {4},"
        "backoff: {{ initial: 50ms, max: 200ms }}, budget: {{ max_actions: 1000, per: 10m }},"
        "stable_after: 300ms, reopen_within: 100ms, rearm_after: 100ms{3} }}\n",
        name, run(container.empty() ? name : container, more), checks_, keys, ladder_);
  }
  /// To be called before it begins: the API may fall silent.
  void silence_possible() {
    silencer_.emplace(lab_.dir() + "/door.sock", lab_.dir() + "/api.sock");
    socket_ = "door.sock";
  }
  bool healthy(const std::string& name) const {
    return eventually([&] { return lab_.health(name) == "healthy"; });
  }
  bool told(const std::string& words) const {
    return eventually([&] { return lab_.records().find(words) != std::string::npos; });
  }
  pid_t main(const std::string& name) const {
    const auto pids = lab_.pids(name + "/0");
    return pids.empty() ? 0 : pids.front();
  }
  std::uint64_t starts(const std::string& name) const { return lab_.lines("effects/starts." + name); }
  bool started(const std::string& name, std::uint64_t times) const {
    return eventually([&] { return starts(name) == times; });
  }
  /// Its process dies, and another is there.
  bool repaired(const std::string& name) const {
    pid_t before = 0;
    if (!eventually([&] { return (before = main(name)) != 0; })) return false;
    const std::uint64_t times = starts(name);
    send_signal(before, SIGKILL);
    return started(name, times + 1) && healthy(name);
  }
  void person(const std::string& verb, const std::string& name) const {
    containers_->ask("POST", "/containers/" + name + "/" + verb);
  }

  std::string checks_{};  // more of them
  std::string ladder_ = "[{ restart: { attempts: 100, verify_within: 2s } }, { escalate: {} }]";
  std::string socket_ = "api.sock";  // where Homeostat asks
  Lab lab_;
  std::optional<Containers> containers_;
  std::optional<Silencer> silencer_;

 private:
  std::string script_;
};

}  // namespace homeostat::lab
