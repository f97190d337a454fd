// What holds for the journal and the state: nothing is lost, nothing is known that was not written down.
#include "engine/binary.hpp"
#include "sim/invariant.hpp"

namespace homeostat::sim {

using namespace engine;

namespace {

/// Records are numbered without a gap and never go back in time; each start is a new epoch after the durable one.
class JournalInOrder : public Invariant {
 public:
  explicit JournalInOrder(Scene& scene) : Invariant(scene, "journal_is_without_gaps") {}
  void booted() override {
    seq_ = arena().survives().seq;
    at_ = arena().survives().last_at;
  }
  void recorded(const Record& record) override {
    expect(record.seq == seq_ + 1 && record.at >= at_,
           [&] { return "record " + std::to_string(record.seq) + " follows " + std::to_string(seq_); });
    seq_ = record.seq;
    at_ = record.at;
    const auto* epoch = std::get_if<EpochBegan>(&record.body);
    if (epoch == nullptr) return;
    expect(epoch->epoch == arena().survives().epoch + 1, [] { return std::string("an epoch that is not the next"); });
  }

 private:
  std::uint64_t seq_ = 0;
  Instant at_ = kLongAgo;
};

/// The engine knows exactly what its records say, after a crash the same as an engine that never crashed.
class StateIsTheFold : public Invariant {
 public:
  explicit StateIsTheFold(Scene& scene) : Invariant(scene, "state_is_the_fold_of_the_journal") {}
  void recorded(const Record& record) override { fold_.apply(record); }
  void stepped() override {
    const Durable& state = arena().engine().durable();
    // The whole is compared now and then; the numbers always.
    expect(state.seq == fold_.seq && state.actions.size() == fold_.actions.size() &&
               state.disruptions.size() == fold_.disruptions.size() &&
               state.escalations.size() == fold_.escalations.size(),
           [] { return std::string("the running state has something that no record says"); });
    if (fold_.seq < compared_ + kEvery) return;
    compare(state, "the running state is not the fold of the records");
  }
  void died() override {
    const Durable& survives = arena().survives();
    // All of it was durable: reading it back gives what was.
    if (survives.seq == fold_.seq) compare(survives, "the journal read back is not what was written");
    fold_ = survives;
    compared_ = fold_.seq;
  }
  void rested() override { compare(arena().engine().durable(), "the state at rest is not the fold of the records"); }

 private:
  static constexpr std::uint64_t kEvery = 100;
  void compare(const Durable& state, const char* otherwise) {
    compared_ = fold_.seq;
    expect(BinaryWriter::write(state) == BinaryWriter::write(fold_), [&] { return std::string(otherwise); });
  }
  Durable fold_;
  std::uint64_t compared_ = 0;
};

/// When nothing can become durable, nothing is done; after the failure only people are called.
class NoJournalNoAction : public Invariant {
 public:
  explicit NoJournalNoAction(Scene& scene) : Invariant(scene, "no_journal_no_action") {}
  void given(const Input& input) override {
    if (!std::holds_alternative<JournalFailed>(input)) return;
    failed_ = true;
    expect(true, [] { return std::string(); });
  }
  void recorded(const Record& record) override {
    if (!failed_) return;
    if (const auto* intent = std::get_if<Intent>(&record.body)) {
      expect(intent->mode == Mode::shadow || !intent->by.empty(),
             [&] { return words(*intent) + " is intended though the journal has failed"; });
    }
  }
  void commanded(const Command& command) override {
    const auto* dispatch = std::get_if<Dispatch>(&command);
    if (dispatch == nullptr) return;
    const Story* story = ledger().find(dispatch->id);
    expect(!failed_, [&] { return (story ? words(story->intent) : "an action") + " though the journal has failed"; });
  }
  void booted() override { failed_ = false; }

 private:
  bool failed_ = false;
};

}  // namespace

void add_journal_invariants(Scene& scene, Invariants& out) {
  out.push_back(std::make_unique<JournalInOrder>(scene));
  out.push_back(std::make_unique<StateIsTheFold>(scene));
  out.push_back(std::make_unique<NoJournalNoAction>(scene));
}

}  // namespace homeostat::sim
