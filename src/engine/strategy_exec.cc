// exec: a command of the user's, at most once unless it is declared idempotent.
#include "engine/strategy.hpp"

namespace homeostat::engine {
namespace {

std::optional<std::string> validate(const Case& c) { return unmet(c); }

Wish wish(const Case& c) {
  Wish w = common_wish(c, "exec");
  w.op = Op::exec;
  w.name = c.rung.name;
  w.idempotent = c.rung.idempotent;
  return w;
}

void execute(const Case& c) { begin_action(c.t, wish(c)); }

}  // namespace

const Strategy kExec{validate, execute, wish, true};

}  // namespace homeostat::engine
