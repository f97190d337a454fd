#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "config/resolve_parts.hpp"

namespace homeostat::config {
namespace {

using Kind = engine::Prerequisite::Kind;

class Names {
 public:
  explicit Names(const Resolution& in) : in_(in) {
    for (const engine::ServicePlan& service : in.config.plan.services) {
      index_.emplace(service.name, static_cast<engine::ServiceId>(known_.size()));
      known_.push_back(service.name);
    }
  }

  engine::ServiceId find(const std::string& name, Position at) const {
    const auto found = index_.find(name);
    if (found != index_.end()) return found->second;
    in_.reader.problem(at, fmt::format("no service is called {}", quote(name)), nearest(name, known_));
    return engine::kNone;
  }

 private:
  const Resolution& in_;
  std::map<std::string_view, engine::ServiceId> index_;
  std::vector<std::string_view> known_;
};

void resolve_depends(const Resolution& in, const Names& names, engine::ServiceId self) {
  Few<engine::Need>& out = in.config.plan.services[self].depends_on;
  std::uint32_t groups = 0;
  for (const NeedDraft& draft : in.draft.services[self].value.depends_on) {
    if (draft.any_of) ++groups;
    for (const NeedDraft::Service& named : draft.services) {
      if (named.name.empty()) continue;  // reported when it was read
      const Position at = named.at;
      const engine::ServiceId id = names.find(named.name, at);
      const bool twice = std::ranges::any_of(out, [&](const engine::Need& need) { return need.service == id; });
      if (id == self) {
        in.reader.problem(at, "a service cannot depend on itself");
      } else if (id != engine::kNone && twice) {
        in.reader.problem(at, fmt::format("`{}` is named twice", named.name));
      } else if (id != engine::kNone) {
        out.push_back({id, draft.tie, draft.any_of ? groups : 0});
      }
    }
  }
}

void resolve_check(const Resolution& in, const PrerequisiteDraft& draft, Position at, engine::Prerequisite& out) {
  const auto& checks = in.config.plan.services[out.service].checks;
  std::vector<std::string_view> known;
  for (const engine::CheckPlan& check : checks) {
    if (check.name == draft.check) out.check = static_cast<engine::CheckId>(known.size());
    known.push_back(check.name);
  }
  if (out.check == engine::kNone) {
    in.reader.problem(at, fmt::format("service `{}` has no check {}", draft.service, quote(draft.check)),
                      nearest(draft.check, known));
  }
}

engine::Prerequisite resolve_prerequisite(const Resolution& in, const Names& names,
                                          const Placed<PrerequisiteDraft>& placed, engine::ServiceId self) {
  const PrerequisiteDraft& draft = placed.value;
  const Position at = placed.node->items.empty() ? placed.node->at : placed.node->items.front().at;
  engine::Prerequisite out;
  out.kind = draft.kind;
  if (draft.kind == Kind::file_exists) {
    out.text = "file " + draft.file;
    out.probe = static_cast<std::uint32_t>(in.config.probes.size());
    in.config.probes.emplace_back(probe::FileSpec{draft.file, {}});
    return out;
  }
  if (draft.service.empty()) return out;  // reported when it was read
  out.service = names.find(draft.service, at);
  if (out.service == engine::kNone) return out;
  if (draft.kind == Kind::check_passing) {
    out.text = fmt::format("check {}/{}", draft.service, draft.check);
    resolve_check(in, draft, at, out);
  } else if (draft.kind == Kind::min_healthy) {
    out.text = fmt::format("min_healthy {} {}", draft.service, draft.count);
    out.count = draft.count;
    const std::uint32_t instances = in.config.plan.services[out.service].instances;
    if (draft.count > instances) {
      in.reader.problem(at, fmt::format("{} healthy of {} instances of `{}` can never be reached", draft.count,
                                        instances, draft.service));
    }
  } else {
    out.text = "healthy " + draft.service;
    if (out.service == self)
      in.reader.problem(at, "a service that is being repaired is not healthy: this could never hold");
  }
  return out;
}

}  // namespace

void resolve_names(const Resolution& in) {
  const Names names(in);
  for (engine::ServiceId self = 0; self < in.config.plan.services.size(); ++self) {
    resolve_depends(in, names, self);
    for (const Placed<PrerequisiteDraft>& placed : in.draft.services[self].value.prerequisites) {
      in.config.plan.services[self].prerequisites.push_back(resolve_prerequisite(in, names, placed, self));
    }
  }
}

}  // namespace homeostat::config
