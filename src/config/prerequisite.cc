// What must hold before any repair of a service.
#include <fmt/format.h>

#include "config/draft.hpp"

namespace homeostat::config {
namespace {

using Kind = engine::Prerequisite::Kind;

/// Reads with `type` and notes which kind of prerequisite it is.
template <class M>
Type<PrerequisiteDraft> as(Kind kind, Type<M> type, M PrerequisiteDraft::* member) {
  return {type.shape, [kind, type, member](const Node& node, Reader& reader, PrerequisiteDraft& out) {
            out.kind = kind;
            type.read(node, reader, out.*member);
          }};
}

Type<PrerequisiteDraft> check_type() {
  return {{"SERVICE/CHECK", R"({"type":"string","pattern":"^[a-z0-9_-]+/[a-z0-9_-]+$"})"},
          [](const Node& node, Reader& reader, PrerequisiteDraft& out) {
            const std::size_t slash = node.text.find('/');
            if (!node.is_scalar() || slash == std::string::npos) {
              return reader.problem(node.at, fmt::format("{} is not written SERVICE/CHECK", quote(node.text)));
            }
            out.kind = Kind::check_passing;
            out.service = node.text.substr(0, slash);
            out.check = node.text.substr(slash + 1);
          }};
}

}  // namespace

const Table<PrerequisiteDraft>& min_healthy_table() {
  static const Table<PrerequisiteDraft> table = [] {
    Table<PrerequisiteDraft> rows("prerequisite.min_healthy", "At least so many instances of a service are healthy.");
    rows.add("service", &PrerequisiteDraft::service, name_type("service"),
             {.text = "The service.", .example = "db", .required = true});
    rows.add("count", &PrerequisiteDraft::count, count_type(1, 10'000),
             {.text = "How many.", .example = "2", .required = true});
    return rows;
  }();
  return table;
}

const Table<PrerequisiteDraft>& prerequisite_table() {
  static const Table<PrerequisiteDraft> table = [] {
    Table<PrerequisiteDraft> rows("prerequisite", "What must hold before a repair. Exactly one kind must be given.");
    rows.kinds("prerequisite");
    rows.add_kind("file", std::identity{}, as(Kind::file_exists, path_type(), &PrerequisiteDraft::file),
                  {.text = "This file exists.", .example = "/srv/api/enabled"});
    rows.add_kind("healthy", std::identity{},
                  as(Kind::service_healthy, name_type("service"), &PrerequisiteDraft::service),
                  {.text = "This service is healthy.", .example = "db"});
    rows.add_kind("check", std::identity{}, check_type(),
                  {.text = "This check of a service passes.", .example = "db/ready"});
    Type<PrerequisiteDraft> least = min_healthy_table().type();
    least.read = [read = least.read](const Node& node, Reader& reader, PrerequisiteDraft& out) {
      out.kind = Kind::min_healthy;
      read(node, reader, out);
    };
    rows.add_kind(
        "min_healthy", std::identity{}, least,
        {.text = "At least so many instances of a service are healthy.", .example = "{ service: db, count: 2 }"});
    return rows;
  }();
  return table;
}

}  // namespace homeostat::config
