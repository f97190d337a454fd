#include "sim/campaign.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

namespace homeostat::sim {
namespace {

constexpr std::uint64_t kTwice = 25;  // every so manieth seed is run again

TrialResult run_one(const Trial& trial, std::uint64_t& same_trace) {
  TrialResult result = run_trial(trial);
  if (!result.broken.empty() || trial.seed % kTwice != 0) return result;
  const TrialResult again = run_trial(trial);
  ++same_trace;
  if (again.trace == result.trace) return result;
  result.broken = kSameTrace;
  result.how = "the same seed gave another trace";
  return result;
}

class Campaign {
 public:
  Campaign(std::uint64_t first, std::uint64_t count) : next_(first), end_(first + count) {
    result_.tested.resize(invariant_names().size() + 1);
  }

  void work() {
    for (std::uint64_t seed = next_++; seed < end_ && !failed_; seed = next_++) {
      const Trial trial = make_trial(seed);
      std::uint64_t same_trace = 0;
      const TrialResult one = run_one(trial, same_trace);
      const std::lock_guard lock(mutex_);
      add(trial, one, same_trace);
    }
  }

  CampaignResult take() { return std::move(result_); }

 private:
  void add(const Trial& trial, const TrialResult& one, std::uint64_t same_trace) {
    ++result_.seeds;
    result_.inputs += one.inputs;
    result_.simulated += one.simulated;
    for (std::size_t i = 0; i < kFaults; ++i) result_.fired[i] += one.fired[i];
    for (std::size_t i = 0; i < one.tested.size(); ++i) result_.tested[i] += one.tested[i];
    result_.tested.back() += same_trace;
    if (one.broken.empty() || (result_.failed && result_.failed->seed < trial.seed)) return;
    result_.failed = trial;
    result_.failure = one;
    failed_ = true;
  }

  std::atomic<std::uint64_t> next_;
  std::uint64_t end_;
  std::atomic<bool> failed_ = false;
  std::mutex mutex_;
  CampaignResult result_;
};

std::vector<std::pair<std::string, std::uint64_t>> rows_of(const CampaignResult& result) {
  std::vector<std::pair<std::string, std::uint64_t>> rows;
  for (std::size_t i = 0; i < kFaults; ++i) rows.emplace_back("fault " + std::string(kFaultNames[i]), result.fired[i]);
  std::vector<std::string_view> names = invariant_names();
  names.push_back(kSameTrace);
  for (std::size_t i = 0; i < names.size(); ++i) {
    rows.emplace_back("holds " + std::string(names[i]), result.tested[i]);
  }
  return rows;
}

std::string journal_of(const TrialResult& result) {
  std::string text;
  for (const engine::Record& record : result.records) {
    const auto ms = (record.at.time_since_epoch() - std::chrono::hours(1)) / std::chrono::milliseconds(1);
    text += "  " + std::to_string(ms) + "ms " + std::string(engine::type_of(record.body)) + " " +
            engine::encode(record.body) + "\n";
  }
  return text;
}

}  // namespace

CampaignResult run_campaign(std::uint64_t first, std::uint64_t count, unsigned threads) {
  Campaign campaign(first, count);
  std::vector<std::thread> others;
  for (unsigned i = 1; i < threads; ++i) others.emplace_back([&campaign] { campaign.work(); });
  campaign.work();
  for (std::thread& other : others) other.join();
  return campaign.take();
}

std::string table_of(const CampaignResult& result) {
  std::string text;
  for (const auto& [name, count] : rows_of(result)) {
    const std::string number = std::to_string(count);
    text += name + std::string(name.size() + number.size() < 54 ? 54 - name.size() - number.size() : 1, ' ') + number +
            "\n";
  }
  return text;
}

std::string never_seen(const CampaignResult& result) {
  std::string text;
  for (const auto& [name, count] : rows_of(result)) {
    if (count == 0) text += (text.empty() ? "" : ", ") + name;
  }
  return text;
}

std::string report_of(const CampaignResult& result, bool with_records) {
  if (!result.failed) return {};
  const TrialResult& failure = result.failure;
  std::string text = "seed " + std::to_string(result.failed->seed) + " breaks " + failure.broken + ": " + failure.how;
  if (failure.broken == kSameTrace) return text + "\n";
  const Trial small = shrink(*result.failed, failure.broken);
  const TrialResult least = run_trial(small);
  const auto services = kFleet - static_cast<std::uint32_t>(std::ranges::count(small.left_out, true));
  return text + "\nthe least that breaks it: " + std::to_string(small.faults.size()) + " faults, " +
         std::to_string(services) + " services\n" + trace_of(small) + "  " +
         std::to_string(least.at / std::chrono::milliseconds(1)) + "ms " + least.how + "\n" +
         (with_records ? journal_of(least) : std::string());
}

}  // namespace homeostat::sim
