#include "os/usage.hpp"

#include <unistd.h>

#include <fstream>
#include <sstream>

namespace homeostat::os {
namespace {

using std::chrono::microseconds;

std::optional<std::uint64_t> resident(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/statm");
  std::uint64_t size = 0;
  std::uint64_t pages = 0;
  if (!(file >> size >> pages)) return std::nullopt;
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

std::optional<Usage> usage_of_cgroup(const std::string& cgroup) {
  std::ifstream file(cgroup + "/cpu.stat");
  std::string key;
  std::int64_t number = 0;
  std::optional<Usage> usage;
  while (file >> key >> number) {
    if (key == "usage_usec") usage = Usage{microseconds(number), 0};
  }
  if (!usage) return std::nullopt;
  std::ifstream members(cgroup + "/cgroup.procs");
  // One that ends meanwhile has no memory any more.
  for (std::string pid; members >> pid;) usage->memory += resident(pid).value_or(0);
  return usage;
}

std::optional<Usage> usage_of_process(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(file, line);
  // The name of the program stands in parentheses and may contain anything, more of them too.
  const std::size_t name_ends = line.rfind(')');
  if (name_ends == std::string::npos) return std::nullopt;
  std::istringstream fields(line.substr(name_ends + 1));
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;
  std::int64_t user = 0;
  std::int64_t system = 0;
  std::int64_t children_user = 0;
  std::int64_t children_system = 0;
  if (!(fields >> user >> system >> children_user >> children_system)) return std::nullopt;
  const std::int64_t ticks = user + system + children_user + children_system;
  const auto memory = resident(std::to_string(pid));
  if (!memory) return std::nullopt;
  return Usage{microseconds(ticks * 1'000'000 / ::sysconf(_SC_CLK_TCK)), *memory};
}

}  // namespace homeostat::os
