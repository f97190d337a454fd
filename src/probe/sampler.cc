#include "probe/sampler.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "core/text.hpp"
#include "probe/exec_check.hpp"
#include "probe/haproxy_answer.hpp"
#include "probe/request.hpp"

namespace homeostat::probe {
namespace {

// The other side keeps its own time; this is only for the case that it does not.
constexpr Duration kGrace = std::chrono::milliseconds(500);
constexpr std::size_t kMostAtOnce = 256;  // of commands, and of questions to HAProxy

Reading read_result(const os::RunResult& result, std::size_t numbers) {
  const Finding judged = judge(result);
  if (!judged.seen.good()) {
    const bool exited = result.end == os::RunEnd::exited;
    return refuse(MetricFault::unread,
                  exited ? for_people(fmt::format("exit status {} {}", result.code, judged.detail)) : judged.detail);
  }
  if (result.dropped > 0) return refuse(MetricFault::not_a_number, "it printed more than numbers");
  return read_printed(result.output, numbers);
}

Reading read_finding(Finding found) {
  if (found.seen.good() || !found.told) return std::move(found.told);
  const bool late = found.seen.result == Result::timeout;
  return refuse(MetricFault::unread, late ? "timed out " + found.detail : found.detail);
}

}  // namespace

std::expected<std::unique_ptr<Sampler>, Error> Sampler::open(os::Loop& loop, std::function<Instant()> now,
                                                             std::optional<os::Cgroups> cgroups) {
  std::unique_ptr<Sampler> out(new Sampler(loop, std::move(now), std::move(cgroups)));
  auto mailbox = Mailbox::open(loop, [self = out.get()](Letter&& letter) {
    self->answer(letter.ticket, read_finding(std::move(letter.found)));
  });
  if (!mailbox) return std::unexpected(mailbox.error());
  out->mailbox_ = std::move(*mailbox);
  out->path_ = std::make_unique<SlowPath>(
      [box = out->mailbox_.get()](std::uint32_t target, std::uint64_t ticket, Finding&& found) {
        box->post({target, ticket, std::move(found)});
      });
  return out;
}

void Sampler::ask(const SourceSpec& source, const Place& place, Instant now, Done done) {
  const std::uint64_t ticket = ++tickets_;
  pending_[ticket] = {later(now, source.timeout + kGrace), std::move(done)};
  if (const auto* http = std::get_if<HttpSource>(&source.from))
    ask_http(ticket, *http, place, source.timeout);
  else if (const auto* haproxy = std::get_if<HaproxySource>(&source.from))
    ask_haproxy(ticket, *haproxy, source.timeout);
  else
    run_command(ticket, source, place, now);
}

void Sampler::ask_http(std::uint64_t ticket, const HttpSource& source, const Place& place, Duration timeout) {
  auto request = std::make_shared<SlowRequest>();
  request->what = filled(source.request, place);
  request->numbers = source.numbers;
  if (!path_->start(0, ticket, std::move(request), timeout))
    answer(ticket, refuse(MetricFault::unread, "too many sources at once"));
}

void Sampler::ask_haproxy(std::uint64_t ticket, const HaproxySource& source, Duration timeout) {
  if (proxies_.size() >= kMostAtOnce)
    return answer(ticket, refuse(MetricFault::unread, "too many questions to HAProxy at once"));
  auto& proxy = proxies_[ticket];
  proxy = std::make_unique<traffic::Haproxy>(loop_, source.place, now_, timeout);
  proxy->look(source.columns, [this, ticket, source](const auto& lines) {
    answer(ticket, lines ? read_haproxy(source, *lines) : refuse(MetricFault::unread, lines.error().text));
  });
}

void Sampler::run_command(std::uint64_t ticket, const SourceSpec& source, const Place& place, Instant now) {
  if (runner_.size() >= kMostAtOnce) {
    return answer(ticket, refuse(MetricFault::unread, "too many commands at once"));
  }
  const auto& command = std::get<ExecSpec>(source.from);
  if (const std::string_view why = unfit(command, place); !why.empty()) {
    return answer(ticket, refuse(MetricFault::unread, std::string(why)));
  }
  os::RunSpec spec{.child = child_for(command, place), .timeout = source.timeout, .capture = kCommandOutput};
  const std::size_t numbers = source.queue ? 2 : 1;
  const auto started = runner_.start(std::move(spec), now, [this, ticket, numbers](const os::RunResult& result) {
    answer(ticket, read_result(result, numbers));
  });
  if (!started) answer(ticket, refuse(MetricFault::unread, for_people(started.error().text)));
}

void Sampler::answer(std::uint64_t ticket, Reading reading) {
  auto found = pending_.extract(ticket);
  if (found.empty()) return;  // too late, or forgotten
  if (!reading) reading.error().why = for_people(reading.error().why);
  found.mapped().done(std::move(reading));
}

void Sampler::forget_all() { pending_.clear(); }

std::optional<Instant> Sampler::next_deadline() const {
  std::optional<Instant> next = runner_.next_deadline();
  const auto sooner = [&next](Instant at) { next = std::min(next.value_or(at), at); };
  for (const auto& [ticket, pending] : pending_) sooner(pending.ends);
  for (const auto& [ticket, proxy] : proxies_) {
    if (const auto at = proxy->next_deadline()) sooner(*at);
  }
  return next;
}

void Sampler::advance(Instant now) {
  // One that has answered was the caller then, and could not go.
  std::erase_if(proxies_, [this](const auto& one) { return !pending_.contains(one.first); });
  runner_.advance(now);
  for (const auto& [ticket, proxy] : proxies_) proxy->advance(now);
  std::vector<std::uint64_t> late;
  for (const auto& [ticket, pending] : pending_) {
    if (pending.ends <= now) late.push_back(ticket);
  }
  for (const std::uint64_t ticket : late) {
    answer(ticket, refuse(MetricFault::unread, "we did not get to look at it in time"));
  }
}

}  // namespace homeostat::probe
