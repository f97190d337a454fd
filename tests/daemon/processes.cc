#include "processes.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "os/incarnation.hpp"
#include "os/testing.hpp"

namespace homeostat::lab {
namespace {

std::map<std::string, std::string> environment_of(const std::string& proc) {
  std::map<std::string, std::string> found;
  std::istringstream text(os::testing::read_file(proc + "/environ"));
  for (std::string one; std::getline(text, one, '\0');) {
    const std::size_t equals = one.find('=');
    if (one.starts_with("HOMEOSTAT_") && equals != std::string::npos) {
      found[one.substr(0, equals)] = one.substr(equals + 1);
    }
  }
  return found;
}

}  // namespace

std::string Process::place() const {
  const auto service = environment.find("HOMEOSTAT_SERVICE");
  const auto instance = environment.find("HOMEOSTAT_INSTANCE");
  if (service == environment.end() || instance == environment.end()) return {};
  return service->second + "/" + instance->second;
}

std::vector<Process> processes_of(const std::string& dir) {
  std::vector<Process> found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename();
    pid_t pid = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), pid).ec != std::errc()) continue;
    auto environment = environment_of(entry.path());
    const auto lab = environment.find("HOMEOSTAT_LAB");
    if (lab == environment.end() || lab->second != dir || !alive(pid)) continue;
    std::string command = os::testing::read_file(entry.path() / "cmdline");
    std::ranges::replace(command, '\0', ' ');
    found.push_back({pid, std::move(command), std::move(environment)});
  }
  return found;
}

std::vector<pid_t> pids_of(const std::string& dir, const std::string& place) {
  std::vector<pid_t> pids;
  for (const Process& process : processes_of(dir)) {
    if (process.place() == place) pids.push_back(process.pid);
  }
  return pids;
}

bool alive(pid_t pid) { return os::incarnation_of(pid).has_value(); }

}  // namespace homeostat::lab
