#include "runtime/exec_scale.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "core/text.hpp"

namespace homeostat::runtime {

using engine::OutcomeKind;

namespace {

constexpr Duration kLookAgain = std::chrono::seconds(1);
constexpr std::uint32_t kMostInstances = 1'000'000;

std::string_view without_blanks(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const std::size_t from = text.find_first_not_of(kBlank);
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(kBlank) - from + 1);
}

long long seconds_of(Duration span) { return std::chrono::round<std::chrono::seconds>(span).count(); }

}  // namespace

OutcomeKind kind_of(const CommandResult& result) {
  if (result.ok()) return OutcomeKind::succeeded;
  return result.end == CommandResult::End::timed_out ? OutcomeKind::unknown : OutcomeKind::failed;
}

std::expected<std::uint32_t, std::string> read_count(const CommandResult& result) {
  if (!result.ok()) return std::unexpected("count: " + describe(result));
  const std::string_view text = without_blanks(result.output);
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = result.dropped == 0 && error == std::errc{} && end == text.data() + text.size();
  if (whole && number <= kMostInstances) return number;
  return std::unexpected(fmt::format("count printed \"{}\", not how many run", printable(text, 40)));
}

/// One change of the number.
struct ExecScale::Task {
  ExecSpec spec;
  Values values;
  std::uint32_t wanted = 0;
  Done done;
  std::string said{};  // by the commands so far
  Instant ends = kNever;
  Instant next_at = kNever;  // it is looked at again then; never: a command is under way
  bool over = false;
};

ExecScale::~ExecScale() = default;

void ExecScale::run(const TaskPtr& task, const std::vector<std::string>& argv, CommandRunner::Done done) {
  runner_.run({argv, {}, task->spec.user, task->spec.cwd, task->spec.timeout}, task->values, now_, std::move(done));
}

void ExecScale::begin(const ExecSpec& spec, Values values, std::uint32_t wanted, bool fewer, Instant now, Done done) {
  now_ = std::max(now_, now);
  auto task = std::make_shared<Task>(Task{spec, std::move(values), wanted, std::move(done)});
  tasks_.push_back(task);
  if (!fewer || spec.drain.empty()) return tell(task);
  run(task, spec.drain, [this, task](const CommandResult& result) {
    // What cannot be drained holds nothing up, as with a proxy that is gone.
    if (!result.ok()) task->said = "drain: " + describe(result) + "; ";
    tell(task);
  });
}

void ExecScale::tell(const TaskPtr& task) {
  run(task, task->spec.scale, [this, task](const CommandResult& result) { told(task, result); });
}

void ExecScale::told(const TaskPtr& task, const CommandResult& result) {
  task->said += "scale: " + describe(result);
  const OutcomeKind kind = kind_of(result);
  if (task->spec.count.empty() || kind == OutcomeKind::failed) return end(task, kind, "");
  task->ends = later(now_, task->spec.count_within);
  look(task);
}

void ExecScale::look(const TaskPtr& task) {
  task->next_at = kNever;
  run(task, task->spec.count, [this, task](const CommandResult& result) { seen(task, read_count(result)); });
}

void ExecScale::seen(const TaskPtr& task, const std::expected<std::uint32_t, std::string>& running) {
  if (running && *running == task->wanted) return end(task, OutcomeKind::succeeded, fmt::format("; {} run", *running));
  if (now_ < task->ends) {
    task->next_at = std::min(later(now_, kLookAgain), task->ends);
    return;
  }
  const auto within = seconds_of(task->spec.count_within);
  if (!running) return end(task, OutcomeKind::unknown, fmt::format("; after {} s {}", within, running.error()));
  end(task, OutcomeKind::failed, fmt::format("; after {} s {} run, not {}", within, *running, task->wanted));
}

void ExecScale::end(const TaskPtr& task, OutcomeKind kind, const std::string& detail) {
  task->over = true;
  task->next_at = kNever;
  task->done({.kind = kind, .detail = task->said + detail});
}

std::optional<Instant> ExecScale::next_deadline() const {
  Instant next = kNever;
  for (const TaskPtr& task : tasks_) next = std::min(next, task->next_at);
  return next == kNever ? std::nullopt : std::optional(next);
}

void ExecScale::advance(Instant now) {
  now_ = std::max(now_, now);
  std::erase_if(tasks_, [](const TaskPtr& task) { return task->over; });
  const std::vector<TaskPtr> tasks = tasks_;  // one that ends may begin another
  for (const TaskPtr& task : tasks) {
    if (task->next_at <= now_) look(task);
  }
}

}  // namespace homeostat::runtime
