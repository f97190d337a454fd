// Who depends on whom, and who depends on each other.
#include <algorithm>
#include <tuple>

#include "homeostat/diagnosis.hpp"

namespace homeostat::diagnosis {
namespace {

using Link = Graph::Link;

// Sorted by node: the order in which edges were declared decides nothing.
void lay_out(std::uint32_t nodes, const std::vector<Edge>& edges, bool up, std::vector<Link>& links,
             std::vector<std::uint32_t>& first) {
  first.assign(std::size_t{nodes} + 1, 0);
  for (const Edge& edge : edges) ++first[(up ? edge.to : edge.from) + 1];
  for (std::size_t i = 1; i < first.size(); ++i) first[i] += first[i - 1];
  links.resize(edges.size());
  std::vector<std::uint32_t> next(first.begin(), first.end() - 1);
  for (const Edge& edge : edges) {
    links[next[up ? edge.to : edge.from]++] = Link{up ? edge.from : edge.to, edge.tie, edge.any_of};
  }
}

}  // namespace

std::expected<Graph, std::string> Graph::make(std::uint32_t nodes, std::vector<Edge> edges) {
  std::ranges::sort(edges, {}, [](const Edge& e) { return std::tuple(e.from, e.to, e.tie, e.any_of); });
  for (std::size_t i = 0; i < edges.size(); ++i) {
    const Edge& edge = edges[i];
    if (edge.from >= nodes || edge.to >= nodes) return std::unexpected("an edge to or from a node that does not exist");
    if (edge.from == edge.to) return std::unexpected("a node cannot depend on itself");
    const bool twice = i > 0 && edges[i - 1].from == edge.from && edges[i - 1].to == edge.to;
    if (twice) return std::unexpected("the same edge is given twice");
  }
  Graph graph;
  graph.circle_.resize(nodes);
  lay_out(nodes, edges, false, graph.down_, graph.down_first_);
  lay_out(nodes, edges, true, graph.up_, graph.up_first_);
  graph.find_circles();
  return graph;
}

// Tarjan's strongly connected components, without recursion: chains may be long. They come out dependencies first.
void Graph::find_circles() {
  constexpr std::uint32_t kFresh = 0;
  constexpr std::uint32_t kDone = kNobody;
  std::vector<std::uint32_t> low(size(), kFresh);
  std::vector<std::uint32_t> next(size(), 0);
  std::vector<std::uint32_t> number(size(), 0);
  std::vector<Node> way;
  std::vector<Node> open;
  std::uint32_t count = 0;
  std::uint32_t circles = 0;
  order_.reserve(size());
  for (Node start = 0; start < size(); ++start) {
    if (low[start] == kFresh) way.push_back(start);
    while (!way.empty()) {
      const Node node = way.back();
      if (low[node] == kFresh) {
        low[node] = number[node] = ++count;
        open.push_back(node);
      }
      const auto links = dependencies(node);
      if (next[node] < links.size()) {
        const Node to = links[next[node]++].node;
        if (low[to] == kFresh)
          way.push_back(to);
        else if (low[to] != kDone)
          low[node] = std::min(low[node], low[to]);
        continue;
      }
      way.pop_back();
      const std::uint32_t mine = low[node];
      if (!way.empty()) low[way.back()] = std::min(low[way.back()], mine);
      if (mine != number[node]) continue;
      for (Node last = kNobody; last != node;) {
        last = open.back();
        open.pop_back();
        low[last] = kDone;
        circle_[last] = circles;
        order_.push_back(last);
      }
      ++circles;
    }
  }
}

}  // namespace homeostat::diagnosis
