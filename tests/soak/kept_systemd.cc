// Units of a real systemd, for the kills.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "kept_kills.hpp"
#include "systemd.hpp"

namespace homeostat::soak {
namespace {

using namespace lab;

class SystemdWorld : public KeptWorld {
 public:
  explicit SystemdWorld(std::string script) : script_(std::move(script)) {}

  std::string begin() override {
    std::filesystem::create_directories(lab_.dir() + "/units");
    for (const char* name : {"web", "other"}) {
      // Who is started is well again; the note is on the disk before the service runs.
      write_file(fmt::format("{}/units/{}.service", lab_.dir(), name),
                 fmt::format("[Service]\nEnvironment=HOMEOSTAT_LAB={0} HOMEOSTAT_SERVICE={1} HOMEOSTAT_INSTANCE=0\n"
                             "ExecStartPre=/usr/bin/touch {0}/well.{1}\nExecStartPre={2}/noted kept {0}/notes.{1}\n"
                             "ExecStart=/bin/sleep infinity\nTimeoutStopSec=5s\n",
                             lab_.dir(), name, build_dir()));
    }
    systemd_.emplace(lab_, script_);
    if (const std::string why = systemd_->wait(); !why.empty()) return why;
    lab_.configure({service("web"), service("other")});
    return {};
  }
  Lab& lab() override { return lab_; }
  void crash(const std::string& service) override {
    pid_t main = 0;
    eventually([&] {
      for (const Process& process : processes_of(lab_.dir())) {
        if (process.place() == service + "/0" && process.command.ends_with("sleep infinity ")) main = process.pid;
      }
      return main != 0;
    });
    if (main != 0) ::kill(main, SIGKILL);
  }
  void sicken(const std::string& service) override { std::filesystem::remove(sign(service)); }
  std::uint64_t starts(const std::string& service) override {
    const std::string notes = read_file(fmt::format("{}/notes.{}", lab_.dir(), service));
    return static_cast<std::uint64_t>(std::ranges::count(notes, '\n'));
  }

 private:
  std::string sign(const std::string& service) const { return fmt::format("{}/well.{}", lab_.dir(), service); }
  std::string service(const std::string& name) const {
    return fmt::format(
        "  {0}: {{ run: {{ systemd: {{ unit: {0}.service, bus: '{1}' }} }},\n"
        "    checks: {{ process: {{ process: {{}}, interval: 100ms }},\n"
        "      well: {{ file: {{ path: {2} }}, role: alive, interval: 100ms }} }},\n"
        "    remediation: [{{ restart: {{ attempts: 100, verify_within: 2s }} }}, {{ escalate: {{}} }}],\n"
        "    backoff: {{ initial: 50ms, max: 200ms }}, budget: {{ max_actions: 100000, per: 10m }},\n"
        "    rearm_after: 100ms, reopen_within: 100ms }}\n",
        name, systemd_->address(), sign(name));
  }

  Lab lab_;
  std::string script_;
  std::optional<Systemd> systemd_;
};

}  // namespace

std::unique_ptr<KeptWorld> systemd_world(const std::string& script) { return std::make_unique<SystemdWorld>(script); }

}  // namespace homeostat::soak
