#include "engine/completion.hpp"

#include <algorithm>

#include "engine/actions.hpp"
#include "engine/escalate.hpp"
#include "engine/instances.hpp"
#include "engine/looking.hpp"

namespace homeostat::engine {

bool completed(Turn& t, const Exited& in) {
  const auto& completion = t.plan(in.service).completion;
  if (!completion || in.signalled || !in.known || !t.wanted(in.service, in.slot)) return false;
  if (std::ranges::find(completion->ok, in.code) == completion->ok.end()) return false;
  const InstanceState known = *t.instance(in.service, in.slot);
  set_instance(t, in.service, in.slot, RunState::completed, known.incarnation, known.version, known.port,
               "done: it ended with status " + std::to_string(in.code));
  stop_looking(t, t.place(in.service, in.slot));
  return true;
}

void ended_unseen(Turn& t, ServiceId id, Slot slot) {
  if (!t.plan(id).completion || t.durable(id).locks.contains(slot)) return;
  const std::string& name = t.plan(id).name;
  const std::string what = "nobody saw how it ended, so it may have done its work";
  t.record(LockChanged{name, slot, true, what});
  escalate_engine(t, name + "/" + std::to_string(slot) + ": " + what +
                         "; it is not run again before `homeostat unlock " + name + "`");
}

}  // namespace homeostat::engine
