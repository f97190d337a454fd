// What a service needs: `db`, or a map that says how.
#include "config/draft.hpp"

namespace homeostat::config {
namespace {

using diagnosis::Tie;

Type<NeedDraft> one(Tie tie) {
  const Type<std::string> name = name_type("service");
  return {name.shape, [tie, name](const Node& node, Reader& reader, NeedDraft& out) {
            out.tie = tie;
            out.services.push_back({{}, node.at});
            name.read(node, reader, out.services.back().name);
          }};
}

Type<NeedDraft> any_of() {
  const Type<std::string> name = name_type("service");
  const Type<NeedDraft::Service> placed_name{name.shape,
                                             [name](const Node& node, Reader& reader, NeedDraft::Service& out) {
                                               out.at = node.at;
                                               name.read(node, reader, out.name);
                                             }};
  Type<std::vector<NeedDraft::Service>> names = list_type(placed_name);
  names.shape.name = "list of services";
  return {names.shape, [names](const Node& node, Reader& reader, NeedDraft& out) {
            out.any_of = true;
            names.read(node, reader, out.services);
            if (out.services.size() < 2) reader.problem(node.at, "alternatives are two services or more");
          }};
}

}  // namespace

const Table<NeedDraft>& need_table() {
  static const Table<NeedDraft> table = [] {
    Table<NeedDraft> rows("dependency",
                          "Something a service needs. A name alone is `hard`. Exactly one kind must be given.");
    rows.kinds("dependency").shorthand("hard");
    rows.add_kind(
        "hard", std::identity{}, one(Tie::hard),
        {.text = "Without it nothing works: its failure explains the service's own, and it is repaired first.",
         .example = "db"});
    rows.add_kind(
        "soft", std::identity{}, one(Tie::soft),
        {.text = "Without it some things do not work: its failure may explain the service's own.", .example = "cache"});
    rows.add_kind("runs_on", std::identity{}, one(Tie::runs_on),
                  {.text = "The host: when it is gone, so is everything on it.", .example = "host1"});
    rows.add_kind("any_of", std::identity{}, any_of(),
                  {.text = "One of them is enough: only when none works is that an explanation.",
                   .example = "[search-a, search-b]"});
    return rows;
  }();
  return table;
}

}  // namespace homeostat::config
