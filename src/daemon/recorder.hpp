// The daemon's memory: records go into the journal, inputs into the input log, and the past comes back from them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "engine/engine.hpp"
#include "journal/input_log.hpp"
#include "journal/journal.hpp"

namespace homeostat::daemon {

class Recorder {
 public:
  /// Opens the journal in `state_dir`. An error: there is none to work with; the text says why and what to do.
  /// After `fold_every` records a fold is due: few enough to be applied quickly at a start, many enough for the fold to
  /// cost nothing.
  static std::expected<std::unique_ptr<Recorder>, Error> open(const std::string& state_dir,
                                                              std::uint64_t fold_every = 50'000);

  /// What the journal knows: the fold of its good records. Call once, before the engine starts.
  engine::Durable recover();

  /// Why nothing may be done (the journal cannot be trusted or written); empty: it may.
  std::string untrusted() const;

  /// Hands records to the writer. A reason when the journal cannot take them. The inputs around an incident are kept.
  std::optional<std::string> append(std::vector<engine::Record>& records);

  int durable_fd() const { return journal_->durable_fd(); }
  std::uint64_t durable_seq() const { return journal_->durable_seq(); }
  journal::State state() const { return journal_->state(); }
  std::string reason() const { return journal_->reason(); }

  /// A fold would pay, to delete what is too old or to be quick at the next start: step the engine with JournalFolded,
  /// then fold.
  bool fold_due() const;
  /// Writes a fold of the durable state and deletes what is too old.
  void fold(const engine::Engine& engine, Instant now);

  /// From now on inputs are logged. `config_text` is asked at each new segment.
  void open_input_log(const std::string& state_dir, const engine::Engine& engine,
                      std::function<std::string()> config_text, std::function<Instant()> now);
  void log_input(const engine::Input& input, Instant at);
  void flush_inputs();
  /// A new segment begins with the engine as it is now.
  void rotate_inputs();

 private:
  Recorder() = default;
  bool take(engine::Durable& durable, const journal::EntryView& entry);
  void pin_incidents(const std::vector<engine::Record>& records);
  void pin(std::uint64_t incident, Instant from, Instant to);

  std::string state_dir_;
  std::unique_ptr<journal::Journal> journal_;
  std::optional<journal::InputLog> inputs_;
  std::map<std::uint64_t, Instant> open_incidents_;  // whose inputs are kept, from when on
  std::uint64_t fold_every_ = 0;
  std::uint64_t since_fold_ = 0;       // records that the next start would have to read one by one
  std::uint64_t asked_to_delete_ = 0;  // records before this one, in the journal's own time
  std::string misread_;
};

}  // namespace homeostat::daemon
