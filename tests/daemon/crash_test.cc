// The daemon is killed at random points while instances die and fail under it.
#include <fmt/format.h>

#include <atomic>
#include <csignal>
#include <map>
#include <random>
#include <set>
#include <sstream>
#include <thread>

#include "lab.hpp"

namespace homeostat::lab {
namespace {

constexpr int kInstances = 2;

std::string place(int slot) { return "web/" + std::to_string(slot); }

/// Looks all the time whether an instance has two processes.
class Watch {
 public:
  explicit Watch(const Lab& lab) : thread_([this, &lab](const std::stop_token& stop) { look(lab, stop); }) {}
  std::string doubles() {
    thread_.request_stop();
    thread_.join();
    return doubles_;
  }
  int looks() const { return looks_; }

 private:
  void look(const Lab& lab, const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      std::map<std::string, std::vector<Process>> by_place;
      for (Process& process : processes_of(lab.dir())) {
        if (!process.place().empty()) by_place[process.place()].push_back(std::move(process));
      }
      for (auto& [name, all] : by_place) {
        // One may have ended before the other began while we read: only those that are still there count.
        std::erase_if(all, [](const Process& process) { return !alive(process.pid); });
        if (all.size() > 1) doubles_ += fmt::format("{}: {} and {}\n", name, all[0].command, all[1].command);
      }
      ++looks_;
      ::poll(nullptr, 0, 2);
    }
  }

  std::string doubles_;
  std::atomic<int> looks_ = 0;
  std::jthread thread_;
};

/// The last number of the journal and all its lines, oldest first.
std::vector<std::string> lines_of(const Lab& lab) {
  std::vector<std::string> lines;
  std::istringstream text(lab.cli({"journal", "show", "--json"}).out);
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

bool begins_with(const std::vector<std::string>& longer, const std::vector<std::string>& shorter) {
  return longer.size() >= shorter.size() && std::equal(shorter.begin(), shorter.end(), longer.begin());
}

bool all_serve(const Lab& lab) {
  for (int slot = 0; slot < kInstances; ++slot) {
    if (!lab.serves(slot)) return false;
  }
  return true;
}

/// Every start has an intent of its own in the journal, and none was carried out twice.
void expect_starts_once(const Lab& lab) {
  std::set<std::string> intended;
  for (const std::string& line : lines_of(lab)) {
    const json::value record = json::parse(line);
    if (text_at(record, "kind") != "intent") continue;
    intended.insert("command=" + text_at(record, "record.id.epoch") + "." + text_at(record, "record.id.counter"));
  }
  std::set<std::string> done;
  for (const Lab::Start& start : lab.starts()) {
    EXPECT_TRUE(intended.contains(start.command)) << start.place << " was started by " << start.command;
    EXPECT_TRUE(done.insert(start.command).second) << start.place << " was started twice by " << start.command;
  }
  EXPECT_GE(done.size(), static_cast<std::size_t>(kInstances));
}

struct Chaos {
  Lab lab;
  std::mt19937 random{std::random_device{}()};
  std::vector<std::string> history;

  int below(int most) { return static_cast<int>(random() % static_cast<unsigned>(most)); }

  // A crash or an error of one instance, the daemon's death at some point of its repair, and its return.
  void round() {
    const int hurt = below(kInstances);
    const int other = 1 - hurt;
    ASSERT_TRUE(eventually([&] { return all_serve(lab); })) << "not everything was repaired";
    const pid_t hurt_pid = lab.pid(place(hurt));
    const pid_t other_pid = lab.pid(place(other));
    const bool crash = below(2) == 0;
    if (crash && hurt_pid != 0)
      ::kill(hurt_pid, SIGKILL);
    else
      lab.break_instance(hurt, "500");
    ::poll(nullptr, 0, crash ? below(12) : below(260));
    lab.kill9();

    EXPECT_TRUE(lab.journal_is_good());
    const auto now = lines_of(lab);
    EXPECT_TRUE(begins_with(now, history)) << "the history has changed";
    history = now;
    ASSERT_TRUE(lab.start());
    // The other one may still be in an older repair; when its process has outlived the daemon it is the same one.
    if (other_pid != 0 && alive(other_pid)) {
      EXPECT_TRUE(eventually([&] { return lab.serves(other); }));
      const std::string shown = text_at(lab.service_status("web"), fmt::format("instances.{}.pid", other));
      EXPECT_TRUE(!alive(other_pid) || shown == std::to_string(other_pid)) << shown << " is not " << other_pid;
    }
  }
};

class DaemonCrash : public ::testing::TestWithParam<int> {};

TEST_P(DaemonCrash, LosesNothingAndStartsNothingTwice) {
  Chaos chaos;
  Lab& lab = chaos.lab;
  lab.configure({lab.service("web", {.instances = kInstances})});
  ASSERT_TRUE(lab.start());
  Watch watch(lab);
  for (int i = 0; i < 13 && !HasFatalFailure(); ++i) {
    SCOPED_TRACE(fmt::format("round {}", i));
    chaos.round();
  }
  EXPECT_TRUE(eventually([&] { return all_serve(lab) && lab.health("web") == "healthy"; }));
  EXPECT_EQ(watch.doubles(), "");
  EXPECT_GT(watch.looks(), 100);
  expect_starts_once(lab);
  EXPECT_TRUE(lab.journal_is_good());
  EXPECT_TRUE(begins_with(lines_of(lab), chaos.history));
  for (int slot = 0; slot < kInstances; ++slot) EXPECT_EQ(lab.pids(place(slot)).size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(Twice, DaemonCrash, ::testing::Values(1, 2));

TEST(DaemonAdoption, KeepsHealthyChildrenAndSeesTheirExit) {
  Lab lab;
  lab.configure({lab.service("web", {.instances = 2})});
  ASSERT_TRUE(lab.start());
  ASSERT_TRUE(eventually([&] { return lab.health("web") == "healthy"; }));
  const pid_t first = lab.pid("web/0");
  const pid_t second = lab.pid("web/1");
  lab.kill9();
  ASSERT_TRUE(lab.start());
  ASSERT_TRUE(eventually([&] { return lab.health("web") == "healthy"; }));
  EXPECT_EQ(lab.pid("web/0"), first);
  EXPECT_EQ(lab.pid("web/1"), second);
  EXPECT_EQ(lab.starts().size(), 2U);

  ::kill(first, SIGKILL);
  ASSERT_TRUE(eventually([&] { return lab.serves(0) && lab.pid("web/0") != first; }));
  ASSERT_TRUE(eventually([&] { return lab.health("web") == "healthy"; }));
  EXPECT_EQ(lab.pid("web/1"), second);
  EXPECT_EQ(lab.starts().size(), 3U);
}

TEST(DaemonAdoption, AnInstanceThatDiedMeanwhileIsStartedAgain) {
  Lab lab;
  lab.configure({lab.service("web")});
  ASSERT_TRUE(lab.start());
  ASSERT_TRUE(eventually([&] { return lab.health("web") == "healthy"; }));
  const pid_t before = lab.pid("web/0");
  lab.kill9();
  ::kill(before, SIGKILL);
  ASSERT_TRUE(eventually([&] { return !alive(before); }));
  ASSERT_TRUE(lab.start());
  EXPECT_TRUE(eventually([&] { return lab.serves(0) && lab.health("web") == "healthy"; }));
  EXPECT_EQ(lab.starts().size(), 2U);
}

}  // namespace
}  // namespace homeostat::lab
