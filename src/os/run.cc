#include "os/run.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace homeostat::os {

namespace {

// Hands the events of one descriptor to one function of the runner.
template <typename Run, void (Runner::*kHandle)(Run&)>
struct Handler final : Watcher {
  Runner* runner = nullptr;
  Run* run = nullptr;
  void ready(std::uint32_t) override { (runner->*kHandle)(*run); }
};

// A command that prints without end must not keep the loop busy.
constexpr int kReadsAtOnce = 8;

}  // namespace

struct Runner::Run {
  RunId id = 0;
  RunSpec spec;
  Child child;
  Fd output;
  Instant deadline{};
  Done done;  // empty: the result has been given, only the process is still to go
  RunResult result;
  Handler<Run, &Runner::on_exit> exit_handler;
  Handler<Run, &Runner::on_output> output_handler;
};

Runner::Runner(Loop& loop, std::optional<Cgroups> cgroups) : loop_(loop), cgroups_(std::move(cgroups)) {}

Runner::~Runner() {
  while (!runs_.empty()) {
    Run& run = *runs_.begin()->second;
    kill(run);
    pollfd exit{.fd = run.child.pidfd.get(), .events = POLLIN, .revents = 0};
    if (::poll(&exit, 1, 1000) == 1) reap(run.child);
    erase(run);
  }
}

std::expected<RunId, Error> Runner::start(RunSpec spec, Instant now, Done done) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail(fmt::format("cannot start a command: {}", std::strerror(errno)));
  auto run = std::make_unique<Run>();
  run->output.reset(ends[0]);
  const Fd write_end(ends[1]);
  ::fcntl(run->output.get(), F_SETFL, O_NONBLOCK);
  run->id = ++last_;
  spec.child.stdout_fd = write_end.get();
  spec.child.stderr_fd = write_end.get();
  if (cgroups_) spec.child.cgroup = cgroups_->make_new(fmt::format("run.{}.{}", ::getpid(), run->id));
  auto child = spawn(spec.child);
  if (!child) {
    remove_cgroup(spec.child.cgroup);
    return std::unexpected(child.error());
  }
  run->child = std::move(*child);
  run->deadline = later(now, spec.timeout);
  run->spec = std::move(spec);
  run->done = std::move(done);
  run->exit_handler.runner = run->output_handler.runner = this;
  run->exit_handler.run = run->output_handler.run = run.get();
  auto watched = loop_.add(run->child.pidfd.get(), EPOLLIN, run->exit_handler);
  if (watched) watched = loop_.add(run->output.get(), EPOLLIN, run->output_handler);
  Run& kept = *runs_.emplace(run->id, std::move(run)).first->second;
  if (watched) return kept.id;
  kill(kept);
  erase(kept);
  return std::unexpected(watched.error());
}

void Runner::on_output(Run& run) {
  std::array<char, 16 << 10> room;  // NOLINT(cppcoreguidelines-pro-type-member-init): read() fills it
  for (int round = 0; round < kReadsAtOnce; ++round) {
    const ssize_t count = ::read(run.output.get(), room.data(), room.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) {
      loop_.remove(run.output.get(), run.output_handler);
      run.output.reset();
      return;
    }
    const auto bytes = static_cast<std::size_t>(count);
    std::string& kept = run.result.output;
    const std::size_t fits = std::min(bytes, run.spec.capture - std::min(run.spec.capture, kept.size()));
    kept.append(room.data(), fits);
    run.result.dropped += bytes - fits;
  }
}

void Runner::on_exit(Run& run) {
  // Before reaping: until then the number of the process group cannot belong to anybody else.
  if (run.spec.kill_leftovers) kill(run);
  const ExitStatus status = reap(run.child);
  if (!run.done) return erase(run);
  // What it wrote is in the pipe by now. Who else holds the pipe is not waited for.
  if (run.output) on_output(run);
  run.result.end = status.signalled ? RunEnd::signalled : RunEnd::exited;
  run.result.code = status.known ? status.code : -1;
  Done done = std::move(run.done);
  RunResult result = std::move(run.result);
  erase(run);
  done(std::move(result));
}

void Runner::kill(Run& run) {
  signal_group(run.child.pid, SIGKILL);
  kill_cgroup(run.spec.child.cgroup);
}

void Runner::erase(Run& run) {
  if (run.output) loop_.remove(run.output.get(), run.output_handler);
  loop_.remove(run.child.pidfd.get(), run.exit_handler);
  if (!remove_cgroup(run.spec.child.cgroup)) old_cgroups_.push_back(run.spec.child.cgroup);
  runs_.erase(run.id);
}

void Runner::cancel(RunId id) {
  const auto found = runs_.find(id);
  if (found == runs_.end()) return;
  kill(*found->second);
  found->second->done = nullptr;  // stays until the process is gone and reaped
}

std::optional<Instant> Runner::next_deadline() const {
  std::optional<Instant> next;
  for (const auto& [id, run] : runs_) {
    if (run->done && (!next || run->deadline < *next)) next = run->deadline;
  }
  return next;
}

void Runner::advance(Instant now) {
  std::vector<std::pair<Done, RunResult>> due;
  for (const auto& [id, run] : runs_) {
    if (!run->done || run->deadline > now) continue;
    kill(*run);
    if (run->output) on_output(*run);
    run->result.end = RunEnd::timed_out;
    due.emplace_back(std::move(run->done), std::move(run->result));
    run->done = nullptr;
  }
  std::erase_if(old_cgroups_, remove_cgroup);
  // Called last: they may start and cancel runs.
  for (auto& [done, result] : due) done(std::move(result));
}

}  // namespace homeostat::os
