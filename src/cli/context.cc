#include "cli/context.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace homeostat::cli {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string default_state_dir() {
  if (::geteuid() == 0) return "/var/lib/homeostat";
  const std::string state = environment("XDG_STATE_HOME");
  return state.empty() ? environment("HOME") + "/.local/state/homeostat" : state + "/homeostat";
}

}  // namespace

void Context::complete() {
  if (state_dir.empty()) state_dir = environment("HOMEOSTAT_STATE_DIR");
  if (state_dir.empty()) state_dir = default_state_dir();
  if (socket.empty()) socket = environment("HOMEOSTAT_SOCKET");
  if (socket.empty()) socket = state_dir + "/homeostat.sock";
}

bool Context::color() const {
  return !no_color && !json && environment("NO_COLOR").empty() && environment("TERM") != "dumb" &&
         ::isatty(STDOUT_FILENO) != 0;
}

int complain(int code, const std::string& text) {
  std::fprintf(stderr, "homeostat: %s\n", text.c_str());
  return code;
}

}  // namespace homeostat::cli
