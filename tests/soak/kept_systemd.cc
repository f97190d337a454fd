// Units of a real systemd, for the kills.
#include <fmt/format.h>

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
    // Of this machine's /tmp, where this may have been built, only the lab is seen inside.
    std::filesystem::copy_file(build_dir() + "/noted", lab_.dir() + "/noted");
    for (const char* name : {"web", "other"}) {
      // Who is started is well again; the note is on the disk before the service runs.
      write_file(fmt::format("{}/units/{}.service", lab_.dir(), name),
                 fmt::format("[Service]\nEnvironment=HOMEOSTAT_LAB={0} HOMEOSTAT_SERVICE={1} HOMEOSTAT_INSTANCE=0\n"
                             "ExecStartPre=/usr/bin/touch {0}/well.{1}\nExecStartPre={0}/noted kept {0}/notes.{1}\n"
                             "ExecStart=/bin/sleep infinity\nTimeoutStopSec=5s\n",
                             lab_.dir(), name));
    }
    systemd_.emplace(lab_, script_);
    if (const std::string why = systemd_->wait(); !why.empty()) return why;
    lab_.configure({service("web"), service("other")});
    return {};
  }
  Lab& lab() override { return lab_; }
  void crash(const std::string& service) override {
    pid_t main = 0;
    eventually([&] { return (main = lab_.main(service + "/0", "/bin/sleep infinity")) != 0; });
    if (main != 0) ::kill(main, SIGKILL);
  }
  void sicken(const std::string& service) override { std::filesystem::remove(sign(service)); }
  std::uint64_t starts(const std::string& service) override { return lab_.lines("notes." + service); }

 private:
  std::string sign(const std::string& service) const { return fmt::format("{}/well.{}", lab_.dir(), service); }
  std::string service(const std::string& name) const {
    const std::string run = fmt::format("systemd: {{ unit: {}.service, bus: '{}' }}", name, systemd_->address());
    return looked_after(name, run, sign(name));
  }

  Lab lab_;
  std::string script_;
  std::optional<Systemd> systemd_;
};

}  // namespace

std::unique_ptr<KeptWorld> systemd_world(const std::string& script) { return std::make_unique<SystemdWorld>(script); }

}  // namespace homeostat::soak
