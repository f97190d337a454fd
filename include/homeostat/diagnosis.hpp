// Many services alarm: which one is the cause? Each alarm is either the service's own fault, or explained by something
// it depends on, or a mistake; the diagnosis weighs these against each other and names the roots.
//
//   auto graph = diagnosis::Graph::make(3, {{.from = 0, .to = 1}, {.from = 1, .to = 2}});
//   diagnosis::Diagnosis diagnosis(*std::move(graph));
//   diagnosis.diagnose(evidence, report);   // one Evidence for each service
//   for (const auto& finding : report.findings) if (finding.role == Role::root) repair(finding.node);
#pragma once

#include <cstddef>
#include <expected>
#include <span>
#include <string>
#include <vector>

#include "homeostat/diagnosis_types.hpp"

namespace homeostat::diagnosis {

class Graph {
 public:
  struct Link {
    Node node = 0;
    Tie tie = Tie::hard;
    std::uint32_t any_of = 0;
  };

  Graph() = default;
  /// Wrong: an edge to itself, to a node that does not exist, or the same edge twice.
  static std::expected<Graph, std::string> make(std::uint32_t nodes, std::vector<Edge> edges);

  std::uint32_t size() const { return static_cast<std::uint32_t>(circle_.size()); }
  std::uint32_t edges() const { return static_cast<std::uint32_t>(down_.size()); }
  std::span<const Link> dependencies(Node node) const { return links(down_, down_first_, node); }
  std::span<const Link> dependents(Node node) const { return links(up_, up_first_, node); }
  /// Nodes that depend on each other share a number. What a node depends on has a smaller number, or the same.
  std::uint32_t circle(Node node) const { return circle_[node]; }
  /// All nodes, dependencies first; those of one circle are neighbours.
  std::span<const Node> order() const { return order_; }

 private:
  static std::span<const Link> links(const std::vector<Link>& all, const std::vector<std::uint32_t>& first, Node node) {
    return std::span(all).subspan(first[node], first[node + 1] - first[node]);
  }
  void find_circles();

  std::vector<Link> down_, up_;
  std::vector<std::uint32_t> down_first_, up_first_;
  std::vector<std::uint32_t> circle_;
  std::vector<Node> order_;
};

class Diagnosis {
 public:
  explicit Diagnosis(Graph graph, const Weights& weights = {});

  /// `evidence`: one of each node. Nothing is allocated once the largest report has been seen.
  void diagnose(std::span<const Evidence> evidence, Report& report);
  const Graph& graph() const { return graph_; }

 private:
  struct Belief {
    std::int32_t bad = 0;   // how well "it is really bad" fits …
    std::int32_t fine = 0;  // … and "it is not"
    Numbers numbers;
    Node by = kNobody;         // its best explanation
    bool explained = false;    // … which is known to be bad
    std::uint32_t reach = 0;   // what fails that it could explain, itself among it, by `draws`
    std::uint32_t recent = 0;  // … of which so many may have to do with it by their time
    Instant onset = kNever;    // … and when that began
    std::uint64_t hits = 0;    // its weight as one that hits others
    std::uint64_t known = 0;   // all explanations but an edge that nobody declared …
    std::uint64_t begins = 0;  // … and their share of all
    std::uint32_t finding = kNobody;
  };

  bool bad(Node node) const { return beliefs_[node].bad >= beliefs_[node].fine; }
  // … and may be the doing of anybody, or do anything to anybody.
  bool at_large(Node node) const {
    const Evidence& seen = evidence_[node];
    return alarms(seen.sign) && !seen.excluded && !seen.meant;
  }
  bool withstood(Node from, const Graph::Link& to) const;
  bool counts(Node from, const Graph::Link& to) const;
  std::int32_t unexplained(Node node) const;
  std::int32_t support_by(Node dependent, const Graph::Link& on) const;
  void weigh_dependents(Node node);
  void weigh_dependencies(Node node);
  void believe(Node node);
  std::uint32_t draws(Node node) const;
  void find_reach(Node node);
  std::int32_t by_stranger(Node node) const;
  bool is_past(Node other, Node node) const;
  void line_up_failing();
  std::uint32_t failing_beside(Node node) const;
  void weigh_undeclared();
  void judge(Finding& finding) const;
  std::int32_t stands_for(const Finding& one, bool first) const;
  void excuse_circle(std::span<Finding> circle);
  void judge_circles(Report& report);
  std::uint64_t early(Node node, Instant first) const;
  void weigh_beginnings(Report& report, std::uint32_t failing);
  void settle(Finding& finding) const;
  void judge_waiting(Report& report) const;
  void follow(Report& report) const;
  void group(Report& report);
  Node leader(Node node);

  Graph graph_;
  Weights weights_;
  std::span<const Evidence> evidence_;
  std::vector<Belief> beliefs_;
  std::vector<Node> leaders_, stack_;
  std::vector<std::uint32_t> seen_;
  struct Failing {
    Node node = 0;
    std::uint32_t before = 0;  // `draws` of all that began earlier
  };
  std::vector<Failing> failing_;  // at large, the first to fail first
  std::uint32_t round_ = 0;
};

/// "db fails by itself: its port refuses; api and web depend on it." `name_of` gives the name of a node.
std::string sentence(const Report& report, const Incident& incident, std::span<const std::string> names);
/// One finding in words: "excused by db", "abstains: it is not ours to repair", "root, 312 points".
std::string explain(const Finding& finding, std::span<const std::string> names);

/// 100 log10(numerator / denominator), in whole numbers.
std::int32_t points_of(std::uint64_t numerator, std::uint64_t denominator);

}  // namespace homeostat::diagnosis
