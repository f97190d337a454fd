// A real podman or dockerd of a lab's own.
#pragma once

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "lab.hpp"

namespace homeostat::lab {

/// What is special of one container.
struct Made {
  std::string name;
  std::string command = "exec sleep 100000";  // of the shell, after it has noted its start
  std::string stop = R"("StopSignal":"SIGKILL")";
  std::string more{};  // members of the question
  std::string policy = R"("Name":"no")";
  std::string binds{};   // more of them, each with a comma before it
  std::string limits{};  // members of the host's configuration, each with a comma behind it
};

class Containers {
 public:
  Containers(const Lab& lab, const std::string& script, std::string kind) : dir_(lab.dir()), kind_(std::move(kind)) {
    pid_ = ::fork();
    if (pid_ == 0) {
      const std::string log = dir_ + "/containers.log";
      if (std::freopen(log.c_str(), "w", stdout) == nullptr || ::dup2(1, 2) < 0) ::_exit(77);
      ::execlp("unshare", "unshare", "--mount", "bash", script.c_str(), dir_.c_str(), kind_.c_str(), nullptr);
      ::_exit(77);
    }
  }
  ~Containers() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGTERM);
    if (!within(seconds(20), [&] { return ::waitpid(pid_, nullptr, WNOHANG) == pid_; })) ::kill(pid_, SIGKILL);
  }
  Containers(const Containers&) = delete;
  Containers& operator=(const Containers&) = delete;

  /// Empty once it answers, else why it never will.
  std::string wait() {
    bool ended = false;
    const bool up = within(seconds(40), [&] {
      ended = ::waitpid(pid_, nullptr, WNOHANG) == pid_;
      return ended || !read_file(dir_ + "/server.pid").empty();
    });
    if (ended) pid_ = 0;
    return up && !ended ? "" : "needs root to make namespaces, and " + kind_;
  }
  std::string log() const { return read_file(dir_ + "/containers.log"); }
  std::string socket() const { return dir_ + "/api.sock"; }
  /// The one who answers.
  pid_t server() const { return static_cast<pid_t>(std::atoi(read_file(dir_ + "/server.pid").c_str())); }

  /// By anybody but Homeostat.
  Answer ask(const std::string& method, const std::string& path, const std::string& body = "") const {
    std::vector<std::string> argv{"/usr/bin/curl", "-s", "-m", "20", "-X", method, "--unix-socket", socket()};
    argv.insert(argv.end(), {"-w", "\n%{http_code}", "http://lab" + path});
    if (!body.empty()) argv.insert(argv.end(), {"-H", "Content-Type: application/json", "-d", body});
    const std::string out = run_program(argv).out;
    const auto last = out.rfind('\n');
    if (last == std::string::npos) return {};
    return {std::atoi(out.c_str() + last + 1), out.substr(0, last)};
  }
  json::value inspect(const std::string& name) const {
    boost::system::error_code wrong;
    return json::parse(ask("GET", "/containers/" + name + "/json").body, wrong);
  }
  /// It notes each of its starts.
  bool make(const Made& made, int version = 1) const {
    const std::string body = fmt::format(
        R"({{"Image":"localhost/lab:{7}","Env":["HOMEOSTAT_LAB={0}","HOMEOSTAT_SERVICE={1}","HOMEOSTAT_INSTANCE=0"],)"
        R"("Entrypoint":["/bin/sh","-c"],"Cmd":["echo started >> /effects/starts.{2}; {3}"],{4},{5})"
        R"("HostConfig":{{{9}"NetworkMode":"host","Binds":["{0}/effects:/effects"{8}],"RestartPolicy":{{{6}}}}}}})",
        dir_, made.name.substr(0, made.name.find('-')), made.name, made.command, made.stop,
        made.more.empty() ? "" : made.more + ",", made.policy, version, made.binds, made.limits);
    const Answer answer = ask("POST", "/containers/create?name=" + made.name, body);
    if (answer.status != 201) fmt::print("{}\n", answer.body);
    return answer.status == 201;
  }

 private:
  std::string dir_;
  std::string kind_;
  pid_t pid_ = 0;
};

}  // namespace homeostat::lab
