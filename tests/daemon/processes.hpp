// What /proc knows about the processes of a lab: they all have the variable HOMEOSTAT_LAB in their environment.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

namespace homeostat::lab {

struct Process {
  pid_t pid = 0;
  std::string command;                             // the arguments, separated by spaces
  std::map<std::string, std::string> environment;  // HOMEOSTAT_… only

  /// "web/0" for an instance; empty for others.
  std::string place() const;
};

/// Those of the lab `dir` that are no zombies, the daemon included.
std::vector<Process> processes_of(const std::string& dir);
/// The live process ids of an instance, such as "web/0".
std::vector<pid_t> pids_of(const std::string& dir, const std::string& place);
bool alive(pid_t pid);

}  // namespace homeostat::lab
