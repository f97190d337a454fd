// The check kind `tcp`: a connection, and maybe a word said and one expected.
#include <fmt/format.h>

#include "config/draft.hpp"

namespace homeostat::config {
namespace {

const Table<probe::TcpSpec>& tcp_table() {
  static const Table<probe::TcpSpec> table = [] {
    using probe::TcpSpec;
    Table<TcpSpec> rows("check.tcp", "Opens a connection.");
    rows.add("host", &TcpSpec::host, text_type(),
             {.text = "Name or address.", .fallback = "127.0.0.1", .example = "10.0.0.7"});
    rows.add("port", &TcpSpec::port, text_type(),
             {.text = "The port; `{port}` is the instance's.", .fallback = "'{port}'", .example = "5432"});
    rows.add("send", &TcpSpec::send, text_type(),
             {.text = "Bytes to send after connecting.", .otherwise = "nothing", .example = "\"PING\\r\\n\""});
    rows.add("expect", &TcpSpec::expect, text_type(),
             {.text = "What the answer must begin with.", .otherwise = "connecting is enough", .example = "+PONG"});
    return rows;
  }();
  return table;
}

}  // namespace

Component<CheckDraft> tcp_check() {
  return {"tcp",
          "Opens a connection.",
          "{ port: 5432 }",
          {&tcp_table().section()},
          [](const Node& node, Reader& reader, CheckDraft& out) {
            probe::TcpSpec spec;
            tcp_table().read(node, reader, spec);
            if (spec.port != "{port}" && !parse_count(spec.port, 65535).value_or(0)) {
              reader.problem(node.where("port"), fmt::format("{} is not a port from 1 to 65535", quote(spec.port)));
            }
            Fingerprint print;
            out.identity = print.add("tcp").add(spec.host).add(spec.port).add(spec.send).add(spec.expect).value();
            out.spec = std::move(spec);
          }};
}

}  // namespace homeostat::config
