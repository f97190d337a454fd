// What Homeostat starts in the soaks writes down itself that it was started, durably, before it does anything else.
//
//   noted start NOTES LOCK -- PROGRAM ARGUMENTS…   an instance: notes the start, then becomes the program
//   noted kept NOTES                               what another program starts: notes that
//   noted hook NOTES PORT                          a command of the user's: notes its run, then mends the instance
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "?" : value;
}
std::string place() { return variable("HOMEOSTAT_SERVICE") + "/" + variable("HOMEOSTAT_INSTANCE"); }

/// One write, so that lines of different processes do not mix; on the disk before anybody is served.
bool note(const char* path, const std::string& line) {
  const int fd = ::open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const bool done =
      fd >= 0 && ::write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size()) && ::fsync(fd) == 0;
  if (fd >= 0) ::close(fd);
  return done;
}

/// The lock file of the instance was written before this program began: its last word names the action.
std::string action_of(const char* lock_file) {
  std::ifstream file(lock_file);
  std::string pid;
  std::string born;
  std::string boot;
  std::string command;
  file >> pid >> born >> boot >> command;
  return pid == std::to_string(::getpid()) ? command : "not-mine:" + pid;
}

/// Held for as long as this process lives, whatever it becomes: a second one of the same instance is seen by the
/// kernel.
bool alone(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT, 0600);
  return fd >= 0 && ::flock(fd, LOCK_EX | LOCK_NB) == 0;
}

std::string nonce() {
  std::uint64_t number = 0;
  if (::getrandom(&number, sizeof number, 0) != sizeof number) std::exit(1);
  return std::to_string(number);
}

int start(char** arguments) {
  const std::string notes = arguments[0];
  const char* only =
      alone(notes + "." + variable("HOMEOSTAT_SERVICE") + "." + variable("HOMEOSTAT_INSTANCE")) ? "alone" : "SECOND";
  const std::string line = "start " + place() + " " + std::to_string(::getpid()) + " " + action_of(arguments[1]) + " " +
                           only + " " + nonce() + "\n";
  if (!note(arguments[0], line)) return 1;
  ::execv(arguments[3], arguments + 3);
  return 127;
}

int kept(char** arguments) { return note(arguments[0], "start " + nonce() + "\n") ? 0 : 1; }

int hook(char** arguments) {
  const std::string line =
      "hook " + place() + " " + std::to_string(::getpid()) + " command=" + variable("HOMEOSTAT_ACTION") + " alone 0\n";
  if (!note(arguments[0], line)) return 1;
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::strtoul(arguments[1], nullptr, 10)));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const std::string request = "POST /fault?kind=none HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  char answer[512];
  const bool mended = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
                      ::send(fd, request.data(), request.size(), MSG_NOSIGNAL) > 0 &&
                      ::recv(fd, answer, sizeof answer, 0) > 0;
  return mended ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  if (mode == "start" && argc > 5) return start(argv + 2);
  if (mode == "hook" && argc == 4) return hook(argv + 2);
  if (mode == "kept" && argc == 3) return kept(argv + 2);
  std::fputs("usage: noted start NOTES LOCK -- PROGRAM ARGUMENTS… | noted hook NOTES PORT | noted kept NOTES\n",
             stderr);
  return 2;
}
