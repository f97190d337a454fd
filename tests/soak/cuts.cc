#include "cuts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <mutex>
#include <random>
#include <thread>

#include "lab.hpp"
#include "two_hosts.hpp"

namespace homeostat::soak {
namespace {

using namespace lab;

constexpr int kRemote = 8;  // services that are looked at through the network
constexpr int kLocal = 2;   // services that are not
constexpr auto kPatience = std::chrono::seconds(90);

std::string name_of(int service) { return fmt::format("{}{}", service < kRemote ? "remote" : "local", service); }

class Cable {
 public:
  Cable(std::uint64_t seed, std::unique_ptr<TwoHosts> hosts) : random_(seed), hosts_(std::move(hosts)) {
    std::vector<std::string> services;
    for (int i = 0; i < kRemote + kLocal; ++i) {
      ServiceText text{.first_port = i};
      if (i < kRemote) {
        text.checks = fmt::format("alive: {{ http: {{ url: 'http://{}:{}/' }}, timeout: 150ms }}",
                                  TwoHosts::kFarAddress, TwoHosts::kFirstPort + i);
      }
      services.push_back(lab_.service(name_of(i), text));
    }
    lab_.configure(services);
  }

  CutReport run(std::uint64_t count, const std::function<void()>& progress) {
    if (!lab_.start()) fail("it did not come up:\n" + lab_.log());
    settle();
    for (std::uint64_t i = 0; i < count && report_.problem.empty(); ++i) {
      one_cut();
      progress();
    }
    // After all that it still repairs what is really broken.
    crash(static_cast<int>(below(kRemote)));
    settle();
    return std::move(report_);
  }

 private:
  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }
  void fail(const std::string& what) {
    if (report_.problem.empty()) report_.problem = fmt::format("after {} cuts: {}", report_.cuts(), what);
  }

  void one_cut() {
    const Cut how = below(2) == 0 ? Cut::own_link : Cut::carrier;
    (how == Cut::own_link ? report_.own_link : report_.carrier) += 1;
    // From a blink to much longer than a verdict and a second look take, and at any phase of the checks.
    constexpr std::array<std::uint64_t, 3> kLongest{200, 1'500, 4'000};
    const std::uint64_t length = below(kLongest[below(kLongest.size())]);
    ::poll(nullptr, 0, static_cast<int>(below(300)));
    if (!hosts_->cut(how)) return fail("the link could not be taken down");
    const bool also_crash = below(8) == 0;
    if (also_crash) crash(kRemote + static_cast<int>(below(kLocal)));
    ::poll(nullptr, 0, static_cast<int>(length));
    if (!at(lab_.status(), "engine.doubt").is_null()) ++report_.doubted;
    if (!hosts_->mend(how)) return fail("the link could not be brought up");
    settle();
  }
  /// Ends a process that is seen directly: doubt is no reason to leave it dead.
  void crash(int service) {
    const pid_t pid = lab_.pid(name_of(service) + "/0");
    if (pid == 0) return fail(name_of(service) + " has no process of its own");
    ::kill(pid, SIGKILL);
    ++report_.crashes;
  }
  /// Everything becomes healthy by itself, doubt is over, and nobody but what had crashed was started.
  void settle() {
    const auto well = [this] {
      const json::value status = lab_.status();
      const json::value services = at(status, "services");
      return services.is_array() && at(status, "engine.doubt").is_null() &&
             lab_.starts().size() >= kRemote + kLocal + report_.crashes &&
             std::ranges::all_of(services.get_array(),
                                 [](const json::value& one) { return text_at(one, "status") == "healthy"; });
    };
    if (!within(kPatience, well)) fail("not everything is well again:\n" + json::serialize(lab_.status()));
    report_.starts = lab_.starts().size();
    const std::uint64_t wanted = kRemote + kLocal + report_.crashes;
    if (report_.starts != wanted) {
      fail(fmt::format("{} starts instead of {}: somebody healthy was touched\n{}", report_.starts, wanted,
                       lab_.records()));
    }
  }

  std::mt19937_64 random_;
  std::unique_ptr<TwoHosts> hosts_;
  Lab lab_;
  CutReport report_;
};

void add(CutReport& sum, const CutReport& one) {
  sum.possible = sum.possible && one.possible;
  sum.own_link += one.own_link;
  sum.carrier += one.carrier;
  sum.doubted += one.doubted;
  sum.crashes += one.crashes;
  sum.starts += one.starts;
  if (sum.problem.empty()) sum.problem = one.problem;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const CutReport& report) {
  const auto row = [&](std::string_view what, std::uint64_t count) {
    out << fmt::format("{:<52} {:>9}\n", what, count);
  };
  if (!report.possible) return out << "network namespaces need root here\n";
  row("cuts by the own link", report.own_link);
  row("cuts at the other end", report.carrier);
  row("cuts", report.cuts());
  row("of them long enough for doubt", report.doubted);
  row("real crashes, of which each must be repaired", report.crashes);
  row("starts of instances, the first ones included", report.starts);
  return out << (report.problem.empty() ? "nobody healthy was touched, everything came back by itself\n"
                                        : "WRONG " + report.problem + "\n");
}

CutReport run_cuts(std::uint64_t seed, std::uint64_t count, std::uint64_t daemons,
                   const std::function<void(std::uint64_t)>& progress) {
  CutReport sum;
  std::atomic<std::uint64_t> done = 0;
  std::mutex mutex;
  std::vector<std::jthread> threads;
  for (std::uint64_t i = 0; i < daemons; ++i) {
    const std::uint64_t share = count / daemons + (i < count % daemons ? 1 : 0);
    threads.emplace_back([&, share, mine = seed + i] {
      auto hosts = TwoHosts::make(kRemote);
      CutReport report;
      report.possible = hosts != nullptr;
      if (hosts)
        report = Cable(mine, std::move(hosts)).run(share, [&] {
          if (progress) progress(++done);
        });
      const std::lock_guard hold(mutex);
      add(sum, report);
    });
  }
  threads.clear();
  return sum;
}

}  // namespace homeostat::soak
