// Containers of a real podman, for the kills.
#include <fmt/format.h>

#include <filesystem>
#include <optional>

#include "containers.hpp"
#include "kept_kills.hpp"

namespace homeostat::soak {
namespace {

using namespace lab;

class PodmanWorld : public KeptWorld {
 public:
  explicit PodmanWorld(std::string script) : script_(std::move(script)) {}

  std::string begin() override {
    podman_.emplace(lab_, script_, "podman");
    if (const std::string why = podman_->wait(); !why.empty()) return why + "\n" + podman_->log();
    for (const char* name : {"web", "other"}) {
      // Who is started is well again; the note is on the disk before the service runs.
      const Made made{
          .name = name,
          .command = fmt::format(": > /effects/well.{1}; {0}/noted kept /effects/notes.{1} && exec {2}", build_dir(),
                                 name, kService),
          .binds = fmt::format(R"(,"{0}:{0}:ro","/usr:/usr:ro","/lib:/lib:ro","/lib64:/lib64:ro")", build_dir())};
      if (!podman_->make(made)) return "it makes no container";
    }
    lab_.configure({service("web"), service("other")});
    return {};
  }
  Lab& lab() override { return lab_; }
  void crash(const std::string& service) override {
    pid_t main = 0;
    eventually([&] { return (main = lab_.main(service + "/0", kService)) != 0; });
    if (main != 0) ::kill(main, SIGKILL);
  }
  void sicken(const std::string& service) override { std::filesystem::remove(sign(service)); }
  std::uint64_t starts(const std::string& service) override { return lab_.lines("effects/notes." + service); }

 private:
  static constexpr const char* kService = "sleep 100000";

  std::string sign(const std::string& service) const { return lab_.dir() + "/effects/well." + service; }
  std::string service(const std::string& name) const {
    const std::string run = fmt::format("podman: {{ container: {}, socket: {} }}", name, podman_->socket());
    return looked_after(name, run, sign(name));
  }

  Lab lab_;
  std::string script_;
  std::optional<Containers> podman_;
};

}  // namespace

std::unique_ptr<KeptWorld> podman_world(const std::string& script) { return std::make_unique<PodmanWorld>(script); }

}  // namespace homeostat::soak
