// What holds for every graph: names and order decide nothing, strangers change nothing, a lone root is always found.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <map>
#include <set>

#include "homeostat/diagnosis.hpp"

namespace homeostat::diagnosis {
namespace {

struct Scene {
  std::vector<Edge> edges;
  std::vector<Evidence> evidence;
};

Report diagnose(const Scene& scene) {
  Diagnosis diagnosis(Graph::make(static_cast<std::uint32_t>(scene.evidence.size()), scene.edges).value());
  Report report;
  diagnosis.diagnose(scene.evidence, report);
  return report;
}

Scene any_scene() {
  Scene scene;
  const auto nodes = *rc::gen::inRange<std::uint32_t>(1, 25);
  std::set<std::pair<Node, Node>> known;
  const auto count = *rc::gen::inRange<std::uint32_t>(0, 3 * nodes);
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto from = *rc::gen::inRange<Node>(0, nodes);
    const auto to = *rc::gen::inRange<Node>(0, nodes);
    if (from == to || !known.emplace(from, to).second) continue;
    const auto tie = static_cast<Tie>(*rc::gen::inRange(0, 3));
    scene.edges.push_back({from, to, tie, *rc::gen::inRange<std::uint32_t>(0, 3)});
  }
  for (std::uint32_t i = 0; i < nodes; ++i) {
    Evidence one;
    one.sign = static_cast<Sign>(*rc::gen::inRange(0, 4));
    one.looks = *rc::gen::inRange<std::uint8_t>(1, 4);
    one.changed = *rc::gen::inRange(0, 8) == 0;
    one.untouchable = *rc::gen::inRange(0, 8) == 0;
    one.excluded = *rc::gen::inRange(0, 8) == 0;
    one.since = Instant(std::chrono::seconds(*rc::gen::inRange(0, 20)));
    scene.evidence.push_back(one);
  }
  return scene;
}

/// What was found of each, without what equal numbers leave open: who of several excuses it.
using Essence = std::map<Node, std::tuple<Role, Doubt, std::int32_t>>;

Essence essence(const Report& report, const std::vector<Node>& name_of) {
  Essence out;
  for (const Finding& one : report.findings) out[name_of[one.node]] = {one.role, one.doubt, one.score};
  return out;
}

std::vector<Node> same_names(std::size_t count) {
  std::vector<Node> names(count);
  for (std::size_t i = 0; i < count; ++i) names[i] = static_cast<Node>(i);
  return names;
}

TEST(DiagnosisProperty, NamesAndOrderDecideNothing) {
  EXPECT_TRUE(rc::check("other numbers for the same services, edges in another order: the same answer", [] {
    const Scene scene = any_scene();
    const auto names = same_names(scene.evidence.size());
    const auto moved = *rc::gen::exec([&] {
      std::vector<Node> to = names;
      for (std::size_t i = to.size(); i > 1; --i) std::swap(to[i - 1], to[*rc::gen::inRange<std::size_t>(0, i)]);
      return to;
    });
    Scene other;
    other.evidence.resize(names.size());
    std::vector<Node> back(names.size());
    for (std::size_t i = 0; i < names.size(); ++i) {
      other.evidence[moved[i]] = scene.evidence[i];
      back[moved[i]] = static_cast<Node>(i);
    }
    for (auto edge = scene.edges.rbegin(); edge != scene.edges.rend(); ++edge) {
      other.edges.push_back({moved[edge->from], moved[edge->to], edge->tie, edge->any_of});
    }
    RC_ASSERT(essence(diagnose(scene), names) == essence(diagnose(other), back));
  }));
}

TEST(DiagnosisProperty, TheSameMachineAskedTwiceSaysTheSame) {
  EXPECT_TRUE(rc::check("nothing of an earlier diagnosis is left", [] {
    Scene scene = any_scene();
    Diagnosis diagnosis(Graph::make(static_cast<std::uint32_t>(scene.evidence.size()), scene.edges).value());
    Report report;
    const std::vector<Evidence> before(scene.evidence.size(), Evidence{.sign = Sign::direct});
    diagnosis.diagnose(before, report);
    diagnosis.diagnose(scene.evidence, report);
    const auto names = same_names(scene.evidence.size());
    RC_ASSERT(essence(report, names) == essence(diagnose(scene), names));
  }));
}

TEST(DiagnosisProperty, EveryAlarmHasAFindingInOneIncidentAndEveryWalkEnds) {
  EXPECT_TRUE(rc::check("findings cover the alarms, incidents cover the findings", [] {
    const Scene scene = any_scene();
    const Report report = diagnose(scene);
    std::map<Node, const Finding*> found;
    for (const Finding& one : report.findings) RC_ASSERT(found.emplace(one.node, &one).second);
    for (Node i = 0; i < scene.evidence.size(); ++i) {
      if (alarms(scene.evidence[i].sign)) RC_ASSERT(found.contains(i));
      if (scene.evidence[i].sign == Sign::healthy) RC_ASSERT(!found.contains(i));
    }
    std::size_t covered = 0;
    for (const Incident& incident : report.incidents) covered += incident.count;
    RC_ASSERT(covered == report.findings.size());
    for (const Finding& one : report.findings) {
      const Evidence& seen = scene.evidence[one.node];
      if (one.role == Role::root) RC_ASSERT(alarms(seen.sign) && !seen.untouchable && !seen.excluded);
      if (one.role != Role::excused) continue;
      RC_ASSERT(found.contains(one.by));
      RC_ASSERT(one.root != kNobody);
      RC_ASSERT(found.at(one.root)->role != Role::excused);
    }
  }));
}

TEST(DiagnosisProperty, AHealthyStrangerChangesNoRole) {
  EXPECT_TRUE(rc::check("a service that is well and that nobody knows is of no account", [] {
    Scene scene = any_scene();
    // The share of those that fail is part of what is weighed; where nothing waits, nothing can move.
    const Report before = diagnose(scene);
    const bool apart =
        std::ranges::any_of(before.findings, [](const Finding& one) { return one.numbers.undeclared != kImpossible; });
    RC_PRE(!apart);
    scene.evidence.emplace_back();
    const auto names = same_names(scene.evidence.size());
    RC_ASSERT(essence(before, names) == essence(diagnose(scene), names));
  }));
}

TEST(DiagnosisProperty, ALoneRootThatHasDiedIsAlwaysFound) {
  EXPECT_TRUE(rc::check("and all that fails with it is excused", [] {
    Scene scene = any_scene();
    for (Evidence& one : scene.evidence) one = {};
    std::erase_if(scene.edges, [](const Edge& edge) { return edge.to >= edge.from; });  // no circles
    const auto root = *rc::gen::inRange<Node>(0, static_cast<Node>(scene.evidence.size()));
    scene.evidence[root] = {.sign = Sign::direct};
    for (Edge& edge : scene.edges) edge.any_of = 0;
    std::ranges::sort(scene.edges, {}, &Edge::from);
    for (const Edge& edge : scene.edges) {
      const bool hit = alarms(scene.evidence[edge.to].sign) && edge.from != root;
      if (hit) scene.evidence[edge.from] = {.sign = Sign::symptom, .looks = 3};
    }
    for (const Finding& one : diagnose(scene).findings) {
      RC_ASSERT(one.role == (one.node == root ? Role::root : Role::excused));
      RC_ASSERT(one.root == root);
    }
  }));
}

}  // namespace
}  // namespace homeostat::diagnosis
