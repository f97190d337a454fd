// The check kind `file`: it is there, and it was written lately.
#include "config/draft.hpp"

namespace homeostat::config {
namespace {

const Table<probe::FileSpec>& file_check_table() {
  static const Table<probe::FileSpec> table = [] {
    Table<probe::FileSpec> rows("check.file", "Looks at a file. A path alone is `path`.");
    rows.add("path", &probe::FileSpec::path, path_type(),
             {.text = "The file that must exist.", .example = "/run/batch/heartbeat", .required = true});
    rows.add(
        "newer_than", &probe::FileSpec::newer_than, duration_type(std::chrono::milliseconds(1)),
        {.text = "It must have been written at most this long ago.", .otherwise = "no condition", .example = "15m"});
    rows.shorthand("path");
    return rows;
  }();
  return table;
}

}  // namespace

Component<CheckDraft> file_check() {
  return {"file",
          "Looks at a file.",
          "{ path: /run/batch/heartbeat, newer_than: 15m }",
          {&file_check_table().section()},
          [](const Node& node, Reader& reader, CheckDraft& out) {
            probe::FileSpec spec;
            file_check_table().read(node, reader, spec);
            Fingerprint print;
            print.add("file").add(spec.path).add(static_cast<std::uint64_t>(spec.newer_than.count()));
            out.identity = print.value();
            out.spec = std::move(spec);
          }};
}

}  // namespace homeostat::config
