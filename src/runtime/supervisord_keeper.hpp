// supervisord as a keeper: its programs, over XML-RPC.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/http_ask.hpp"
#include "runtime/keeper.hpp"
#include "runtime/peer_breaker.hpp"
#include "runtime/xml_rpc.hpp"

namespace homeostat::runtime {

/// A program as supervisord tells of it.
struct ProgramState {
  std::int64_t state = 0;  // its numbers: 0 STOPPED, 10 STARTING, 20 RUNNING …
  Incarnation run{};       // pid and start time; none: there is no process
  std::int64_t exit_status = 0;
  std::string problem{};
  friend bool operator==(const ProgramState&, const ProgramState&) = default;
};
ProgramState program_of(const XmlValue& info);

/// supervisord tells nothing unasked, so it is asked every second, for all programs at once.
class SupervisordKeeper final : public Keeper {
 public:
  /// `password`: "user:password", empty: none is asked for.
  SupervisordKeeper(os::Loop& loop, std::string peer, const std::string& password, OnSight on_sight);
  ~SupervisordKeeper() override;

  void keep(std::vector<Charge> charges) override;
  void perform(Order order, Instant now, Done done) override;
  std::optional<Instant> next_deadline() const override;
  void advance(Instant now) override;

 private:
  struct Work;
  struct Program;
  using Answered = std::move_only_function<void(XmlAnswer)>;
  using Failed = std::move_only_function<void(const std::string& why, bool heard)>;

  void call(const char* method, const std::vector<XmlParameter>& parameters, Duration within, Answered answered,
            Failed failed);
  void look();
  void take(const XmlValue& all, std::uint64_t look);
  void lost(const std::string& why);
  void changed(Program& program);
  Sight seen(const Program& program) const;

  void proceed(Program& program, std::uint64_t look);
  void judge(Program& program);
  void ask(Program& program, const char* method);
  void finish(Program& program, engine::OutcomeKind kind, const std::string& detail, bool overruled = false);

  std::string peer_;
  std::string authorization_;
  OnSight on_sight_;
  HttpAsker asker_;
  std::map<Target, std::unique_ptr<Program>> programs_;
  std::string why_unknown_ = "it has not answered yet";
  PeerBreaker breaker_;
  bool looking_ = false;
  std::uint64_t looks_ = 0;
  std::uint64_t works_ = 0;
  Instant look_at_{};
  Instant now_{};
};

}  // namespace homeostat::runtime
