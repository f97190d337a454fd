// scale: how many instances run, and why; so many by hand. freeze, unfreeze: no more, no fewer, or neither.
#include <fmt/format.h>

#include <memory>

#include "cli/client.hpp"
#include "cli/context.hpp"
#include "cli/show.hpp"
#include "config/value.hpp"

namespace homeostat::cli {
namespace {

std::string utilisation(const json::object& rule) {
  if (text_at(rule, "utilisation_thousandths") == "-") return "-";
  const auto thousandths = number_at(rule, "utilisation_thousandths");
  return fmt::format("{}.{} %", thousandths / 10, thousandths % 10);
}

std::string show_scaling(const json::object& service, bool color) {
  const json::object& scaling = service.at("scaling").as_object();
  std::string out = fmt::format("{}: {} instances, from {} to {}\n", text_at(service, "name"),
                                text_at(scaling, "count"), text_at(scaling, "min"), text_at(scaling, "max"));
  if (!scaling.at("held").is_null()) {
    const bool ends = !scaling.at("held_until").is_null();
    out += fmt::format("held at {} by hand until {}\n", text_at(scaling, "held"),
                       ends ? time_at(scaling, "held_until", true) : "`homeostat scale SERVICE auto`");
  }
  if (!scaling.at("frozen").is_null()) {
    const std::string frozen = text_at(scaling, "frozen");
    const bool ends = !scaling.at("frozen_until").is_null();
    out += fmt::format("frozen by hand ({}) until {}\n",
                       frozen == "up"     ? "no more"
                       : frozen == "down" ? "no fewer"
                                          : "neither more nor fewer",
                       ends ? time_at(scaling, "frozen_until", true) : "`homeostat unfreeze SERVICE`");
  }
  if (!scaling.at("raised").is_null()) {
    out += fmt::format("at least {} until {}: a repair has asked for it\n", text_at(scaling, "raised"),
                       time_at(scaling, "raised_until", true));
  }
  if (!scaling.at("asked").is_null()) {
    const json::object& asked = scaling.at("asked").as_object();
    out += fmt::format("asks to go from {} to {} instances: `homeostat approve {}`, until {}\n", text_at(asked, "from"),
                       text_at(asked, "to"), text_at(asked, "id"), time_at(asked, "until", true));
  }
  out += text_at(scaling, "why", "nothing has been measured yet") + "\n\n";
  Table table({"METRIC", "UTILISATION", "NOW", "ASKS FOR", "MIN", "MAX", "WHY NOT NOW"});
  for (const json::value& item : list_at(scaling, "rules")) {
    const json::object& rule = item.as_object();
    table.add({{text_at(rule, "id")},
               {utilisation(rule)},
               {text_at(rule, "current")},
               {text_at(rule, "desired")},
               {text_at(rule, "min")},
               {text_at(rule, "max")},
               {text_at(rule, "why_not", "")}});
  }
  return out + table.text(color);
}

int explain(const Context& context, const std::string& service) {
  const Answer answer = get(context, "/v1/status?service=" + escape(service));
  if (!answer) return complain(answer.error());
  const json::object& one = list_at(*answer, "services").at(0).as_object();
  if (one.at("scaling").is_null()) return complain(kBad, service + " has a fixed number of instances");
  if (context.json)
    std::printf("%s\n", json::serialize(one.at("scaling")).c_str());
  else
    std::fputs(show_scaling(one, context.color()).c_str(), stdout);
  return kOk;
}

int set(const Context& context, const std::string& service, const std::string& count, const std::string& hold) {
  json::object body{{"service", service}};
  if (count != "auto") {
    const auto number = config::parse_range(count, 0, 65535);
    if (!number || number->first != number->last)
      return complain(kUsage, "`" + count + "` is neither a number of instances nor `auto`");
    body["count"] = number->first;
    body["hold"] = hold;
  }
  const Answer answer = post(context, "/v1/scale", body);
  if (!answer) return complain(answer.error());
  const std::string text = count == "auto" ? service + " follows its metrics again"
                                           : fmt::format("{} is held at {} instances", service, count);
  std::printf("%s\n", context.json ? json::serialize(*answer).c_str() : text.c_str());
  return kOk;
}

int freeze(const Context& context, const std::string& service, const std::string& only, const std::string& length) {
  const json::object body{{"service", service}, {"direction", only}, {"for", length}};
  const Answer answer = post(context, "/v1/freeze", body);
  if (!answer) return complain(answer.error());
  const std::string what = only == "up" ? "gets no more instances" : only == "down" ? "loses no instances" : "";
  const std::string text = only == "none"
                               ? service + " is not frozen any more"
                               : fmt::format("{} {} {}", service, what.empty() ? "keeps its number of instances" : what,
                                             length == "forever" ? "until `homeostat unfreeze`" : "for " + length);
  std::printf("%s\n", context.json ? json::serialize(*answer).c_str() : text.c_str());
  return kOk;
}

void add_freeze_verbs(CLI::App& app, Context& context) {
  const auto service = std::make_shared<std::string>();
  const auto only = std::make_shared<std::string>("both");
  const auto length = std::make_shared<std::string>();
  CLI::App* verb = add_verb(app, context, "freeze", "Hold the number of a service's instances; repairs go on",
                            "homeostat freeze web --for 1h\n  homeostat freeze web --only down --for forever",
                            [&context, service, only, length] { return freeze(context, *service, *only, *length); });
  verb->add_option("SERVICE", *service, "The service")->required();
  verb->add_option("--only", *only, "`up`: no more, but fewer; `down`: no fewer, but more")
      ->check(CLI::IsMember({"up", "down", "both"}))
      ->capture_default_str();
  verb->add_option("--for", *length, "How long, such as 30m or 2h, or `forever`")->required();
  const auto again = std::make_shared<std::string>();
  add_verb(app, context, "unfreeze", "End a freeze", "homeostat unfreeze web",
           [&context, again] { return freeze(context, *again, "none", ""); })
      ->add_option("SERVICE", *again, "The service")
      ->required();
}

}  // namespace

void add_scale_verbs(CLI::App& app, Context& context) {
  const auto service = std::make_shared<std::string>();
  const auto count = std::make_shared<std::string>();
  const auto hold = std::make_shared<std::string>("30m");
  CLI::App* scale =
      add_verb(app, context, "scale", "Say how many instances a service needs and why; or set it by hand",
               "homeostat scale web\n  homeostat scale web 5 --hold 30m\n  homeostat scale web auto",
               [&context, service, count, hold] {
                 return count->empty() ? explain(context, *service) : set(context, *service, *count, *hold);
               });
  scale->add_option("SERVICE", *service, "The service")->required();
  scale->add_option("COUNT", *count, "So many by hand, whatever the metrics say; `auto`: as the metrics say again");
  scale->add_option("--hold", *hold, "For how long, such as 30m or 2h, or `forever`")->capture_default_str();
  add_freeze_verbs(app, context);
}

}  // namespace homeostat::cli
