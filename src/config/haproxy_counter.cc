#include "config/haproxy_counter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace homeostat::config {
namespace {

// As HAProxy calls them. What only grows is used as so many a second.
constexpr std::array<std::string_view, 9> kNow{"qcur",  "scur",  "rate", "qtime", "ctime",
                                               "rtime", "ttime", "act",  "weight"};
constexpr std::array<std::string_view, 23> kGrowing{
    "stot",     "req_tot",  "lbtot",      "bin",      "bout",    "hrsp_1xx", "hrsp_2xx", "hrsp_3xx",
    "hrsp_4xx", "hrsp_5xx", "hrsp_other", "dreq",     "dresp",   "econ",     "eresp",    "eint",
    "wretr",    "wredis",   "cli_abrt",   "srv_abrt", "chkfail", "connect",  "reuse"};

template <class... Lists>
Type<std::string> field_type(std::string name, const Lists&... lists) {
  std::vector<std::pair<std::string_view, std::string>> words;
  const auto add = [&](const auto& list) {
    for (const std::string_view word : list) words.emplace_back(word, word);
  };
  (add(lists), ...);
  return word_type<std::string>(std::move(name), std::move(words));
}

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
    text.replace(at, what.size(), by);
}

}  // namespace

Type<std::string> haproxy_field_type() { return field_type("field of HAProxy's", kNow, kGrowing); }
Type<std::string> haproxy_counter_type() { return field_type("field that only grows", kGrowing); }
bool only_grows(std::string_view field) { return std::ranges::find(kGrowing, field) != kGrowing.end(); }

const Table<HaproxyAt>& haproxy_at_table() {
  static const Table<HaproxyAt> table = [] {
    Table<HaproxyAt> rows("haproxy_at", "Which of HAProxy's servers is meant.");
    rows.add("socket", [](HaproxyAt& at) -> auto& { return at.place.socket; }, path_type(),
             {.text = "The path of the runtime socket.",
              .otherwise = "as the service's `traffic` has it",
              .example = "/run/haproxy/admin.sock"});
    rows.add(
        "backend", [](HaproxyAt& at) -> auto& { return at.place.backend; }, text_type(),
        {.text = "The backend that is meant.", .otherwise = "as the service's `traffic` has it", .example = "web"});
    rows.add("server", &HaproxyAt::server, text_type(),
             {.text = "The name of an instance's server there. Placeholders: `{port}` `{instance}` `{service}`.",
              .otherwise = "as the service's `traffic` has it, else `{service}-{instance}`",
              .example = "m{port}"});
    return rows;
  }();
  return table;
}

void complete_haproxy(const Resolution& in, const Named<ServiceDraft>& service, const Node& node,
                      traffic::HaproxyPlace& place, std::string* server) {
  if (service.value.traffic) {
    const traffic::Spec& usual = service.value.traffic->haproxy;
    if (place.socket.empty()) place.socket = usual.haproxy.socket;
    if (place.backend.empty()) place.backend = usual.haproxy.backend;
    if (server != nullptr && server->empty()) *server = usual.server;
  } else if (place.socket.empty() || place.backend.empty()) {
    in.reader.problem(node.at, "`socket` and `backend` are needed: the service has no `traffic` that says them");
  }
  if (server == nullptr) return;
  if (server->empty()) *server = traffic::Spec{}.server;
  replace_all(*server, "{service}", service.name);
  if (!tells_apart(probe::FileSpec{.path = *server}))
    in.reader.problem(node.at, fmt::format("the server {} is the same of every instance: add {{port}} or {{instance}}",
                                           quote(*server)));
}

}  // namespace homeostat::config
