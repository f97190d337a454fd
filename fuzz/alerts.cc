// What is posted as an Alertmanager's: refused with a reason, or alerts that read the same when they are written down
// again and whose labels may become names of variables.
#include "api/alerts.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <string>

#include "kit.hpp"

namespace homeostat::fuzz {
namespace {

namespace json = boost::json;
using api::Alert;

void check(const Alert& alert) {
  require(!alert.fingerprint.empty() && alert.fingerprint.size() <= 64, "an alert has a name of its own");
  require(alert.labels.size() <= 64 && alert.summary.size() <= 2048, "it is bounded");
  for (const auto& [name, value] : alert.labels) {
    const bool plain =
        std::ranges::all_of(name, [](unsigned char c) { return c == '_' || (c < 0x80 && std::isalnum(c)); });
    require(!name.empty() && plain, "a label may become part of the name of a variable");
    require(value.size() <= 2048, "a label is bounded");
  }
}

/// The times stay as they were written: here only that they are read the same again matters.
void rewrite(json::value& body, const std::vector<Alert>& alerts) {
  json::array& posted = body.as_object().at("alerts").as_array();
  require(posted.size() == alerts.size(), "no alert is left out, none is made up");
  for (std::size_t i = 0; i < alerts.size(); ++i) {
    json::object labels;
    for (const auto& [name, value] : alerts[i].labels) labels[name] = value;
    posted[i].as_object()["labels"] = std::move(labels);
    posted[i].as_object()["annotations"] = {{"summary", alerts[i].summary}};
  }
}

}  // namespace

void run(std::string_view input) {
  const std::string body(input);
  const auto alerts = api::parse_alerts(body);
  if (!alerts) {
    require(alerts.error().status >= 400 && alerts.error().status < 500, "it is the sender's fault");
    return;
  }
  for (const Alert& alert : *alerts) check(alert);
  json::error_code ec;
  json::value parsed = json::parse(body, ec);
  require(!ec && parsed.is_object(), "only a whole document has alerts");
  rewrite(parsed, *alerts);
  const auto again = api::parse_alerts(json::serialize(parsed));
  require(again && *again == *alerts, "what is written down again reads the same");
}

}  // namespace homeostat::fuzz
