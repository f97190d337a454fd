// A small engine for the tests of this room, and records as the journal would give them.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "engine/engine.hpp"
#include "journal/chain.hpp"

namespace homeostat::api {

/// 2026-11-22T08:00:00Z
inline constexpr std::int64_t kWall = 1'795'334'400'000'000'000;

/// `web` of two instances with releases, and `db` that `web` depends on.
inline engine::Plan small_plan() {
  engine::ServicePlan db;
  db.name = "db";
  db.mode = engine::Mode::approve;
  engine::ServicePlan web;
  web.name = "web";
  web.instances = 2;
  web.release = "v1";
  web.runtime.managed = web.runtime.restart = web.runtime.start_stop = web.runtime.releases = true;
  web.depends_on = {0};
  engine::CheckPlan check;
  check.name = "alive";
  web.checks.push_back(check);
  engine::RungPlan restart;
  restart.attempts = 2;
  engine::RungPlan rollback;
  rollback.strategy = engine::StrategyKind::rollback;
  rollback.when.changed_within = std::chrono::minutes(15);
  engine::RungPlan escalate;
  escalate.strategy = engine::StrategyKind::escalate;
  escalate.name = "page";
  web.ladder = {rollback, restart, escalate};
  web.issues = {{"slow", {0}, {restart}, {}}};
  engine::Plan plan;
  plan.generation = 1;
  plan.services = {db, web};
  return plan;
}

/// Engine time of `ms` milliseconds.
inline Instant at(std::int64_t ms) { return Instant(std::chrono::milliseconds(ms)); }

/// A list of records with their times, from which a Durable, an engine or a journal is made.
class World {
 public:
  World() { start(); }

  /// Appends a record at the present time and applies it to the engine's durable state.
  void apply(engine::Body body) {
    engine::Durable durable = engine.durable();
    const engine::Record record{durable.seq + 1, now, 1, std::move(body)};
    durable.apply(record);
    records.push_back(record);
    engine = engine::Engine(std::move(durable));
    start();
  }

  std::vector<engine::Record> records;
  engine::Engine engine;
  Instant now = at(1'000);

 private:
  // The epoch and configuration records of the start are not kept: tests look at their own.
  void start() {
    engine::Durable before = engine.durable();
    engine::Commands out;
    engine = engine::Engine(before);
    engine.start(small_plan(), "test", now, out);
  }
};

/// A record as the journal's reader gives it: wall time is kWall plus engine time.
class Stored {
 public:
  Stored(const engine::Record& record) : payload_(engine::encode(record.body)), type_(engine::type_of(record.body)) {
    view_.seq = record.seq;
    view_.type = type_;
    view_.version = 1;
    view_.at_ns = record.at.time_since_epoch().count();
    view_.wall_ns = kWall + view_.at_ns;
    view_.generation = record.generation;
    view_.payload = payload_;
  }
  const journal::EntryView& view() const { return view_; }

 private:
  std::string payload_;
  std::string type_;
  journal::EntryView view_;
};

}  // namespace homeostat::api
