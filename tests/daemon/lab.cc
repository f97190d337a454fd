#include "lab.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <sstream>

namespace homeostat::lab {
namespace {

namespace fs = std::filesystem;

// Below the range that the kernel gives to outgoing connections.
constexpr int kFirstPort = 20000;
constexpr int kBlocks = 700;

bool is_free(int port) {
  const os::Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_ANY);
  return ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

/// A block of ports that no other test program has: locked for as long as the descriptor lives.
std::pair<os::Fd, int> take_ports() {
  const fs::path locks = fs::temp_directory_path() / fmt::format("homeostat-ports.{}", ::getuid());
  fs::create_directories(locks);
  for (int i = 0; i < kBlocks; ++i) {
    const int block = (i + ::getpid() * 7) % kBlocks;
    os::Fd fd(::open((locks / std::to_string(block)).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!fd || ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) continue;
    const int first = kFirstPort + block * Lab::kPorts;
    bool all = true;
    for (int port = first; port < first + Lab::kPorts; ++port) all = all && is_free(port);
    if (all) return {std::move(fd), first};
  }
  std::abort();
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

/// For a process of one thread: into a time namespace in which the clocks of this boot are ahead.
void enter_time(seconds ahead) {
  const auto offsets = fmt::format("monotonic {0} 0\nboottime {0} 0\n", ahead.count());
  bool there = ::unshare(CLONE_NEWTIME) == 0;
  {
    const os::Fd fd(::open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC));
    there = there && ::write(fd.get(), offsets.data(), offsets.size()) == static_cast<ssize_t>(offsets.size());
  }
  const os::Fd fd(::open("/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC));
  if (!there || ::setns(fd.get(), CLONE_NEWTIME) != 0) ::_exit(126);
}

pid_t spawn(std::vector<std::string> argv, const std::map<std::string, std::string>& environment,
            const std::string& out, const std::string& err, seconds boot_ahead = {}) {
  const std::vector<char*> arguments = pointers(argv);
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  if (boot_ahead.count() != 0) enter_time(boot_ahead);
  for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
  const int null = ::open("/dev/null", O_RDONLY);
  const int out_fd = ::open(out.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  const int err_fd = ::open(err.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::dup2(null, 0);
  ::dup2(out_fd, 1);
  ::dup2(err_fd, 2);
  for (int fd = 3; fd < 64; ++fd) ::close(fd);
  ::execv(arguments[0], arguments.data());
  ::_exit(127);
}

int status_of(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

/// Where cgroup v2 is mounted and we are in it; empty: nowhere.
std::string our_cgroup() {
  std::istringstream mounts(read_file("/proc/self/mounts"));
  std::istringstream places(read_file("/proc/self/cgroup"));
  std::string mount;
  for (std::string device, where, type, rest; mounts >> device >> where >> type && std::getline(mounts, rest);) {
    if (type == "cgroup2") mount = where;
  }
  for (std::string line; std::getline(places, line);) {
    if (line.starts_with("0::/") && !mount.empty()) return mount + line.substr(3);
  }
  return {};
}

/// Where the daemon that keeps its state there puts what it starts; empty: nowhere.
std::string cgroup_of_daemon(const std::string& state_dir) {
  struct stat about{};
  const std::string ours = our_cgroup();
  if (ours.empty() || ::stat(state_dir.c_str(), &about) != 0) return {};
  return ours + fmt::format("/homeostat.{:x}.{:x}", about.st_dev, about.st_ino);
}

/// Cgroups are directories that hold only directories of use; false while something in them still ends.
bool remove_cgroups(const std::string& root) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(root, error)) {
    if (entry.is_directory(error)) ::rmdir(entry.path().c_str());
  }
  return ::rmdir(root.c_str()) == 0 || errno == ENOENT;
}

}  // namespace

void send_signal(pid_t pid, int number) {
  if (pid > 0) {
    ::kill(pid, number);
  } else {
    ADD_FAILURE() << "there is no process to send signal " << number << " to";
  }
}

json::value Finished::json() const {
  boost::system::error_code error;
  json::value value = json::parse(out, error);
  return error ? json::value() : value;
}

Finished run_program(const std::vector<std::string>& argv, const std::map<std::string, std::string>& environment) {
  const os::testing::TempDir dir;
  const pid_t pid = spawn(argv, environment, dir / "out", dir / "err");
  int status = 0;
  const bool ended = within(seconds(20), [&] { return ::waitpid(pid, &status, WNOHANG) == pid; });
  if (!ended) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, &status, 0);
  }
  return {status_of(status), read_file(dir / "out"), read_file(dir / "err")};
}

std::string build_dir() {
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error).parent_path();
}

json::value at(const json::value& from, const std::string& path) {
  const json::value* value = &from;
  std::istringstream steps(path);
  for (std::string step; std::getline(steps, step, '.');) {
    if (value->is_object()) {
      value = value->get_object().if_contains(step);
    } else if (value->is_array()) {
      value = value->get_array().if_contains(std::strtoul(step.c_str(), nullptr, 10));
    } else {
      value = nullptr;
    }
    if (value == nullptr) return nullptr;
  }
  return *value;
}

std::string text_at(const json::value& from, const std::string& path) {
  const json::value value = at(from, path);
  return value.is_string() ? std::string(value.get_string()) : value.is_null() ? "" : json::serialize(value);
}

Lab::Lab() { std::tie(port_lock_, first_port_) = take_ports(); }

Lab::~Lab() {
  if (::testing::Test::HasFailure()) fmt::print("the daemon's own words:\n{}the journal:\n{}", log(), records());
  kill9();
  within(seconds(5), [&] {
    const auto left = processes_of(dir());
    for (const Process& process : left) ::kill(process.pid, SIGKILL);
    return left.empty();
  });
  if (!cgroup_.empty()) within(seconds(2), [&] { return remove_cgroups(cgroup_); });
}

std::string Lab::service(const std::string& name, const ServiceText& text) const {
  // The lock file is ours before this program exists: it tells which action has started us.
  const std::string note =
      fmt::format(R"(read -r line < {}/run/$HOMEOSTAT_SERVICE.$HOMEOSTAT_INSTANCE.lock; )"
                  R"(echo "$HOMEOSTAT_SERVICE/$HOMEOSTAT_INSTANCE $line" >> {}/starts; )"
                  R"(exec {}/quickstart_service --port "$HOMEOSTAT_PORT" --release "$HOMEOSTAT_RELEASE/")",
                  state(), dir(), build_dir());
  const int first = port(text.first_port);
  const std::string instances = text.instances == 0 ? "" : fmt::format("instances: {}, ", text.instances);
  return fmt::format(R"(  {}: {{ run: {{ process: {{ command: [/bin/sh, -c, '{}'], ports: {}-{}{}{} }} }},
    {}checks: {{ {} }}, remediation: {},
    backoff: {{ initial: 50ms, max: 200ms }}, budget: {{ max_actions: 1000, per: 10m }},
    rearm_after: 100ms, reopen_within: 100ms, stable_after: 300ms{}{} }}
)",
                     name, note, first, first + std::max(text.instances, 1) + text.more_ports - 1,
                     text.run.empty() ? "" : ", ", text.run, instances, text.checks, text.remediation,
                     text.more.empty() ? "" : ", ", text.more);
}

void Lab::make_release(const std::string& service, const std::string& version, bool broken) const {
  const fs::path folder = fs::path(releases(service)) / version;
  fs::create_directories(folder);
  if (broken) write_file(folder / "broken", "");
}

void Lab::configure(const std::vector<std::string>& services, const std::string& beside) const {
  std::string text =
      "homeostat: 1\n"
      "defaults: { interval: 200ms, fast_interval: 50ms, timeout: 1s, startup_grace: 1s }\n"
      "guardrails: { fleet: { max_actions: 1000, per: 10m } }\n" +
      beside + "\nservices:\n";
  for (const std::string& service : services) text += service;
  write_file(config_file(), text);
}

void Lab::launch(const std::vector<std::string>& more) {
  std::vector<std::string> argv{
      build_dir() + "/homeostat", "run", "--config", config_file(), "--state-dir", state(), "--socket", socket()};
  argv.insert(argv.end(), more.begin(), more.end());
  auto variables = environment;
  variables["HOMEOSTAT_LAB"] = dir();
  daemon_ = spawn(std::move(argv), variables, dir_ / "daemon.log", dir_ / "daemon.log", boot_ahead);
}

bool Lab::start(const std::vector<std::string>& more) {
  launch(more);
  if (!answers()) return false;
  cgroup_ = cgroup_of_daemon(state());
  return true;
}

bool Lab::answers() const {
  bool ended = false;
  const bool up = eventually([&] {
    siginfo_t info{};
    ended = ::waitid(P_PID, static_cast<id_t>(daemon_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0;
    const auto answer = ask_socket(socket(), "GET", "/v1/status");
    return ended || (answer && answer->status == 200);
  });
  return up && !ended;
}

void Lab::signal(int number) const {
  if (daemon_ > 0) ::kill(daemon_, number);
}

int Lab::wait_exit(milliseconds patience) {
  int status = 0;
  if (daemon_ <= 0) return -1;
  if (!within(patience, [&] { return ::waitpid(daemon_, &status, WNOHANG) == daemon_; })) return -1;
  daemon_ = 0;
  return status_of(status);
}

void Lab::kill9() {
  if (daemon_ <= 0) return;
  ::kill(daemon_, SIGKILL);
  ::waitpid(daemon_, nullptr, 0);
  daemon_ = 0;
}

json::value Lab::get(const std::string& target) const {
  const auto answer = ask_socket(socket(), "GET", target);
  if (!answer) return nullptr;
  boost::system::error_code error;
  json::value value = json::parse(answer->body, error);
  return error ? json::value() : value;
}

Answer Lab::post(const std::string& verb, const json::object& body) const {
  return ask_socket(socket(), "POST", "/v1/" + verb, json::serialize(body)).value_or(Answer{});
}

json::value Lab::service_status(const std::string& service) const {
  return at(get("/v1/status?service=" + service), "services.0");
}

json::value Lab::check_status(const std::string& service, const std::string& check, int slot) const {
  const json::value checks = at(service_status(service), "checks");
  if (!checks.is_array()) return nullptr;
  for (const json::value& one : checks.get_array()) {
    const json::value place = at(one, "slot");
    if (text_at(one, "check") == check && (place.is_null() || place == slot)) return one;
  }
  return nullptr;
}

bool Lab::has_flag(const std::string& service, const std::string& flag) const {
  const json::value flags = at(service_status(service), "flags");
  return flags.is_array() && std::ranges::count(flags.get_array(), json::value(flag)) > 0;
}

std::string Lab::hold(const std::string& service) const {
  return text_at(service_status(service), "incident.failing.0.hold.gate");
}

json::array Lab::escalations(const std::string& words) const {
  json::array found;
  const json::value all = at(status(), "escalations");
  if (!all.is_array()) return found;
  for (const json::value& one : all.get_array()) {
    if (text_at(one, "summary").find(words) != std::string::npos) found.push_back(one);
  }
  return found;
}

Finished Lab::cli(const std::vector<std::string>& arguments) const {
  std::vector<std::string> argv{build_dir() + "/homeostat", "--state-dir", state(), "--socket", socket()};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return run_program(argv);
}

bool Lab::serves(int port_index) const {
  const auto answer = ask_port(port(port_index), "GET", "/healthz", milliseconds(500));
  return answer && answer->status == 200;
}

pid_t Lab::pid(const std::string& place) const {
  const auto all = pids(place);
  return all.size() == 1 ? all.front() : 0;
}

pid_t Lab::main(const std::string& place, const std::string& command) const {
  for (const Process& process : processes_of(dir())) {
    if (process.place() == place && process.command.starts_with(command)) return process.pid;
  }
  return 0;
}

std::uint64_t Lab::lines(const std::string& file) const {
  return static_cast<std::uint64_t>(std::ranges::count(read_file(dir_ / file), '\n'));
}

bool Lab::break_instance(int port_index, const std::string& kind) const {
  return ask_port(port(port_index), "POST", "/fault?kind=" + kind).has_value();
}

std::vector<Lab::Start> Lab::starts() const {
  std::vector<Start> found;
  std::istringstream text(read_file(dir_ / "starts"));
  for (std::string line; std::getline(text, line);) {
    std::istringstream words(line);
    Start start;
    std::string born;
    std::string boot;
    words >> start.place >> start.pid >> born >> boot >> start.command;
    found.push_back(std::move(start));
  }
  return found;
}

}  // namespace homeostat::lab
