// The parts of `resolve`, a file each.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "config/resolve.hpp"

namespace homeostat::config {

struct Resolution {
  FileDraft& draft;
  Reader& reader;
  Config& config;
};

/// Keeps what is valid and hardly meant, for whoever asks for warnings.
void remark(const Resolution& in, Position at, std::string text);

/// Where the value at the end of a path of keys stands, or as far along it as there is something.
Position find_at(const Node& node, std::initializer_list<std::string_view> path);

/// What must hold between the durations of one check or of the defaults.
void check_timing(const Resolution& in, const CheckPolicy& policy, const Node& node);

/// Whether what is looked at is another one for each instance.
bool tells_apart(const probe::Spec& spec);
/// The placeholder is used in it.
bool uses(const probe::Spec& spec, std::string_view placeholder);
/// Reports at `node` what is to be filled in but is not there.
void check_placeholders(const Resolution& in, const probe::Spec& spec, const ServiceDraft& service, const Node& node);

/// Fills in what a check takes from the service around it.
void complete_check(const Resolution& in, const Named<ServiceDraft>& service,
                    Named<CheckDraft>& check);  // check_haproxy.cc

/// Adds the checks of a service, those it has without saying so included.
void resolve_checks(const Resolution& in, Named<ServiceDraft>& service);

/// Adds the rungs of a service; its checks are there already.
void resolve_ladder(const Resolution& in, Named<ServiceDraft>& service);

/// One ladder of a service, after the rungs that it begins with anyway; it ends by calling a human.
engine::LadderPlan ladder_of(const Resolution& in, Named<ServiceDraft>& service, const LadderDraft& draft,
                             std::vector<engine::RungPlan> usual);

/// Adds the ladders of the kinds of failure that a service has.
void resolve_issues(const Resolution& in, Named<ServiceDraft>& service);  // resolve_issues.cc
/// What is wrong with them as such; all services are there already.
void check_issues(const Resolution& in);  // resolve_issues.cc

/// What the autoscaler of a service follows: `instances` becomes the most there may be.
void resolve_scaling(const Resolution& in, Named<ServiceDraft>& service);  // scaling.cc

/// How a new version takes over: the places of its surge are added.
void resolve_rollout(const Resolution& in, Named<ServiceDraft>& service);  // rollout.cc

/// Where requests to a service come from.
void resolve_traffic(const Resolution& in, Named<ServiceDraft>& service);   // traffic.cc
void resolve_ejection(const Resolution& in, Named<ServiceDraft>& service);  // traffic_breaker.cc

std::vector<engine::MaintenanceWindow> resolve_windows(
    const Resolution& in, const std::vector<Placed<WindowDraft>>& drafts);  // maintenance.cc

/// Looks up the services and checks that others name; all are there already.
void resolve_names(const Resolution& in);

}  // namespace homeostat::config
