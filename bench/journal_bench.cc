// What durability costs. Prints one JSON object.
//
//   journal_bench grouped DIR SECONDS   as many durable records a second as go through the journal
//   journal_bench single DIR COUNT      one intent at a time through the journal, in turn with append + fdatasync, and
//                                       with the same write without the threads between
#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "journal/journal.hpp"

namespace {

using namespace homeostat;
using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kInFlight = 16'384;
constexpr std::int64_t kMostFrames = 512;  // of the 1,000 that a WAL of 4 MiB holds

// As long as an intent is in practice.
journal::Entry entry(std::uint64_t seq) {
  return {.seq = seq,
          .type = "intent",
          .version = 1,
          .critical = true,
          .at = Instant(std::chrono::milliseconds(seq)),
          .wall_ns = 1'700'000'000'000'000'000,
          .generation = 1,
          .payload =
              R"({"deadline":1764084000000000000,"evidence":"alive: answered 500","expected":{"boot":7,"id":4711,)"
              R"("started":815},"id":{"counter":12,"epoch":3},"incident":5,"op":"restart","service":"api","slot":0})"};
}

double micros(Clock::duration d) { return std::chrono::duration<double, std::micro>(d).count(); }

double quantile(std::vector<double> of, double q) {
  std::ranges::sort(of);
  return of.empty() ? 0 : of[static_cast<std::size_t>(q * static_cast<double>(of.size() - 1))];
}

void wait_for(journal::Journal& journal, std::uint64_t seq) {
  while (journal.durable_seq() < seq && journal.state() == journal::State::writable) {
    pollfd wait{.fd = journal.durable_fd(), .events = POLLIN, .revents = 0};
    ::poll(&wait, 1, 1'000);
    std::uint64_t count = 0;
    if (::read(wait.fd, &count, sizeof count) < 0) continue;
  }
}

int grouped(journal::Journal& journal, double seconds) {
  std::uint64_t seq = journal.health().last_seq;
  const std::uint64_t first = seq;
  const auto began = Clock::now();
  const auto end = began + std::chrono::duration<double>(seconds);
  while (Clock::now() < end) {
    std::vector<journal::Entry> some;
    for (int i = 0; i < 64; ++i) some.push_back(entry(++seq));
    if (auto taken = journal.append(std::move(some)); !taken) {
      fmt::print(stderr, "{}\n", taken.error().text);
      return 1;
    }
    if (seq - journal.durable_seq() > kInFlight) wait_for(journal, seq - kInFlight / 2);
  }
  wait_for(journal, seq);
  const double took = micros(Clock::now() - began) / 1e6;
  fmt::print("{{\"per_second\": {:.0f}, \"records\": {}}}\n", static_cast<double>(seq - first) / took, seq - first);
  return 0;
}

/// The writing end of a journal of its own.
std::unique_ptr<journal::Appender> appender_in(const std::filesystem::path& dir) {
  std::filesystem::create_directories(dir);
  const journal::Paths paths(dir);
  if (!journal::create_store(paths.db, {})) return nullptr;
  auto appender = journal::Appender::open(paths, journal::Health{}, journal::Options{}.wal_bytes);
  return appender ? std::move(*appender) : nullptr;
}

int single(journal::Journal& journal, const std::filesystem::path& dir, int count) {
  const int fd = ::open((dir / "plain").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const auto appender = appender_in(dir / "direct");
  if (fd < 0 || !appender) return 1;
  std::vector<double> ours;
  std::vector<double> plain;
  std::vector<double> direct;
  std::uint64_t seq = journal.health().last_seq;
  for (int i = 0; i < count; ++i) {
    auto begin = Clock::now();
    std::vector<journal::Entry> one;
    one.push_back(entry(++seq));
    const std::string same(one.front().payload.size() + 100, 'x');
    if (auto taken = journal.append(std::move(one)); !taken) return 1;
    wait_for(journal, seq);
    ours.push_back(micros(Clock::now() - begin));
    begin = Clock::now();
    if (::write(fd, same.data(), same.size()) < 0 || ::fdatasync(fd) != 0) return 1;
    plain.push_back(micros(Clock::now() - begin));
    const journal::Entry same_again = entry(appender->last_seq() + 1);
    begin = Clock::now();
    if (appender->append(std::span(&same_again, 1)) != journal::Written::ok) return 1;
    direct.push_back(micros(Clock::now() - begin));
    if (appender->wal_frames() > kMostFrames) appender->checkpoint();
  }
  ::close(fd);
  fmt::print("{{\"ours_p50_us\": {:.1f}, \"plain_p50_us\": {:.1f}, \"direct_p50_us\": {:.1f}}}\n", quantile(ours, 0.5),
             quantile(plain, 0.5), quantile(direct, 0.5));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc == 4 ? argv[1] : "";
  if (what != "grouped" && what != "single") {
    fmt::print(stderr, "usage: journal_bench grouped DIR SECONDS | single DIR COUNT\n");
    return 2;
  }
  const std::filesystem::path dir = argv[2];
  std::filesystem::create_directories(dir);
  journal::Options options;
  options.known = {{"intent", 1}};
  auto journal = journal::Journal::open(dir, options);
  if (!journal) {
    fmt::print(stderr, "{}\n", journal.error().text);
    return 1;
  }
  return what == "grouped" ? grouped(**journal, std::atof(argv[3])) : single(**journal, dir, std::atoi(argv[3]));
}
