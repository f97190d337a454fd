#include "daemon/recorder.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "daemon/build_id.hpp"
#include "daemon/time_keeper.hpp"
#include "engine/input_codec.hpp"
#include "journal/reader.hpp"

namespace homeostat::daemon {
namespace {

constexpr std::string_view kFold = "fold";
constexpr std::string_view kAccept = "accept";

journal::KnownTypes known() {
  journal::KnownTypes types{{std::string(kFold), 1}, {std::string(kAccept), 1}};
  for (const std::string_view type : engine::known_types()) types.emplace(type, 1);
  return types;
}

journal::Entry entry_of(const engine::Record& record) {
  journal::Entry entry;
  entry.seq = record.seq;
  entry.type = engine::type_of(record.body);
  entry.critical = engine::critical(record.body);
  entry.at = record.at;
  entry.wall_ns = TimeKeeper::wall_ns();
  entry.generation = record.generation;
  entry.payload = engine::encode(record.body);
  return entry;
}

}  // namespace

std::expected<std::unique_ptr<Recorder>, Error> Recorder::open(const std::string& state_dir, std::uint64_t fold_every) {
  auto recorder = std::unique_ptr<Recorder>(new Recorder());
  recorder->state_dir_ = state_dir;
  recorder->fold_every_ = fold_every;
  journal::Options options;
  options.known = known();
  auto journal = journal::Journal::open(state_dir, std::move(options));
  if (!journal) return std::unexpected(journal.error());
  recorder->journal_ = std::move(*journal);
  return recorder;
}

bool Recorder::take(engine::Durable& durable, const journal::EntryView& entry) {
  if (entry.type == kFold) {
    engine::Durable folded;
    if (!engine::Durable::unfold(entry.payload, folded)) {
      misread_ = fmt::format("record {} (fold) cannot be read", entry.seq);
      return false;
    }
    durable = std::move(folded);
    durable.seq = entry.seq;
    return true;
  }
  auto body = engine::decode(entry.type, entry.payload);
  if (body) {
    durable.apply(engine::Record{entry.seq, Instant(Duration(entry.at_ns)), entry.generation, std::move(*body)});
    return true;
  }
  durable.seq = entry.seq;
  if (entry.critical && entry.type != kAccept)
    misread_ = fmt::format("record {} ({}) cannot be read", entry.seq, entry.type);
  return true;
}

engine::Durable Recorder::recover() {
  engine::Durable durable;
  const journal::Health& health = journal_->health();
  if (health.fresh || health.last_seq == 0) return durable;
  auto reader = journal::Reader::open(state_dir_);
  if (!reader) {
    misread_ = reader.error().text;
    return durable;
  }
  const std::uint64_t from = health.last_fold != 0 ? health.last_fold : 1;
  since_fold_ = health.last_seq - health.last_fold;
  const auto read = reader->read_all(
      from, [&](const journal::EntryView& entry) { return entry.seq <= health.last_seq && take(durable, entry); });
  if (!read && untrusted().empty()) misread_ = read.error().text;
  return durable;
}

std::string Recorder::untrusted() const {
  if (!misread_.empty()) return misread_;
  const journal::State state = journal_->state();
  const bool writes = state == journal::State::writable || state == journal::State::on_reserve;
  return writes ? std::string() : fmt::format("the journal is {}: {}", journal::name(state), journal_->reason());
}

std::optional<std::string> Recorder::append(std::vector<engine::Record>& records) {
  if (records.empty()) return std::nullopt;
  pin_incidents(records);
  if (auto why = untrusted(); !why.empty()) return why;
  std::vector<journal::Entry> entries;
  entries.reserve(records.size());
  for (const engine::Record& record : records) entries.push_back(entry_of(record));
  if (const auto taken = journal_->append(std::move(entries)); !taken) return taken.error().text;
  since_fold_ += records.size();
  return std::nullopt;
}

bool Recorder::fold_due() const {
  return (since_fold_ >= fold_every_ || journal_->compaction_due() > asked_to_delete_) && untrusted().empty();
}

void Recorder::fold(const engine::Engine& engine, Instant now) {
  const std::uint64_t before = journal_->compaction_due();  // 0: nothing is too old
  journal::Entry fold;
  fold.seq = engine.durable().seq;
  fold.type = kFold;
  fold.critical = true;
  fold.at = now;
  fold.wall_ns = TimeKeeper::wall_ns();
  fold.generation = engine.plan().generation;
  fold.payload = engine.durable().fold();
  if (const auto done = journal_->compact(before, std::move(fold)); !done) {
    spdlog::warn("the journal could not be folded: {}", done.error().text);
  }
  since_fold_ = 0;
  asked_to_delete_ = before;
}

void Recorder::open_input_log(const std::string& state_dir, const engine::Engine& engine,
                              std::function<std::string()> config_text, std::function<Instant()> now) {
  auto log = journal::InputLog::open(state_dir, {}, [&engine, config_text, now] {
    return journal::SegmentStart{build_id(), engine.durable().epoch, now(), config_text(), engine.save()};
  });
  if (!log) {
    spdlog::warn("inputs are not logged, so incidents cannot be replayed: {}", log.error().text);
    return;
  }
  inputs_.emplace(std::move(*log));
}

void Recorder::log_input(const engine::Input& input, Instant at) {
  if (inputs_ && inputs_->disabled().empty()) inputs_->append(engine::encode_input(input, at));
}

void Recorder::flush_inputs() {
  if (inputs_) inputs_->flush();
}

void Recorder::rotate_inputs() {
  if (inputs_) inputs_->rotate();
}

// A minute before its first failure belongs to an incident.
void Recorder::pin_incidents(const std::vector<engine::Record>& records) {
  constexpr Duration kBefore = std::chrono::minutes(1);
  for (const engine::Record& record : records) {
    if (const auto* failing = std::get_if<engine::IncidentFailing>(&record.body)) {
      const auto [open, fresh] = open_incidents_.emplace(failing->incident, failing->first_failure - kBefore);
      if (fresh) pin(failing->incident, open->second, kNever);
    }
    const auto* closed = std::get_if<engine::IncidentClosed>(&record.body);
    if (closed == nullptr) continue;
    const auto open = open_incidents_.find(closed->incident);
    if (open == open_incidents_.end()) continue;
    pin(closed->incident, open->second, record.at);
    open_incidents_.erase(open);
  }
}

void Recorder::pin(std::uint64_t incident, Instant from, Instant to) {
  if (!inputs_) return;
  const auto pinned = inputs_->pin(fmt::format("incident-{}", incident), from, to);
  if (!pinned) spdlog::warn("the inputs of incident {} are not kept: {}", incident, pinned.error().text);
}

}  // namespace homeostat::daemon
