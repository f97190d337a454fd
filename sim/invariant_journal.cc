// What holds for the journal and the state: nothing is lost, nothing is known that was not written down.
#include "engine/binary.hpp"
#include "sim/invariant.hpp"

namespace homeostat::sim {

using namespace engine;

namespace {

/// Records are numbered without a gap and never go back in time.
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
  }

 private:
  std::uint64_t seq_ = 0;
  Instant at_ = kLongAgo;
};

/// Each life has a number higher than that of any before it, and does nothing until nobody can have that number again:
/// of two that take themselves for the owner, everything that they act on can tell which one is.
class NewerLife : public Invariant {
 public:
  explicit NewerLife(Scene& scene) : Invariant(scene, "each_life_is_newer_than_the_last") {}
  void recorded(const Record& record) override {
    const auto* began = std::get_if<EpochBegan>(&record.body);
    if (began == nullptr) return;
    expect(began->epoch > arena().survives().epoch,
           [&] { return "life " + std::to_string(began->epoch) + " follows one of the same number"; });
    mine_ = began->epoch;
  }
  void did(const Deed&) override {
    expect(arena().survives().epoch == mine_, [] { return std::string("an action before the life is on record"); });
  }

 private:
  std::uint64_t mine_ = 0;
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

/// What others repeat of a secret is in no record, and so in nothing that is known of the past.
class NoSecretTold : public Invariant {
 public:
  explicit NoSecretTold(Scene& scene) : Invariant(scene, "no_secret_is_told") {}
  void recorded(const Record&) override {
    const std::string& text = arena().last_written();
    if (text.find("it did not work") == std::string::npos && text.find(kCanary) == std::string::npos) return;
    expect(text.find(kCanary) == std::string::npos, [&] { return "a record tells a secret: " + text; });
  }
  void rested() override {
    const std::string state = arena().engine().save();
    expect(state.find(kCanary) == std::string::npos, [] { return std::string("the state tells a secret"); });
  }
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
  out.push_back(std::make_unique<NewerLife>(scene));
  out.push_back(std::make_unique<StateIsTheFold>(scene));
  out.push_back(std::make_unique<NoSecretTold>(scene));
  out.push_back(std::make_unique<NoJournalNoAction>(scene));
}

}  // namespace homeostat::sim
