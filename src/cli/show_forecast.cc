#include "cli/show_forecast.hpp"

#include <fmt/format.h>

namespace homeostat::cli {
namespace {

double milliseconds(Duration span) { return std::chrono::duration<double, std::milli>(span).count(); }

json::value mean(Duration sum, std::uint64_t count) {
  if (count == 0) return nullptr;
  return static_cast<std::int64_t>(milliseconds(sum) / static_cast<double>(count));
}

json::object service_json(const std::string& name, const sim::ServiceForecast& s) {
  json::object service{{"name", name},
                       {"faults", s.faults},
                       {"detected", s.detected},
                       {"repaired", s.repaired},
                       {"mttd_ms", mean(s.to_detect, s.detected)},
                       {"mttr_ms", mean(s.to_repair, s.repaired)},
                       {"actions", s.actions},
                       {"escalations", s.escalations}};
  if (s.watched > Duration{}) service["availability"] = 1 - milliseconds(s.down) / milliseconds(s.watched);
  return service;
}

// What a reader should look at: repairs that follow each other and prove nothing.
void add_loops(json::array& loops, const std::string& name, const sim::ServiceForecast& s) {
  if (s.loops > 0) {
    loops.push_back(json::string(
        fmt::format("{}: {} times {} repairs in a row without a verified recovery", name, s.loops, sim::kLoop)));
  }
  if (s.most_rounds >= 3) {
    loops.push_back(json::string(fmt::format("{}: one ladder was spent {} times in a row", name, s.most_rounds)));
  }
}

}  // namespace

json::object forecast_json(const sim::Forecast& forecast, const sim::Weather& weather, double cpu_seconds) {
  json::array services;
  json::array loops;
  for (const auto& [name, s] : forecast.services) {
    services.push_back(service_json(name, s));
    add_loops(loops, name, s);
  }
  json::object faults;
  for (std::size_t i = 0; i < forecast.faults.size(); ++i) faults[sim::kWeatherFaults[i]] = forecast.faults[i];
  faults["network cut"] = forecast.network_cuts;
  const double hours = std::chrono::duration<double, std::ratio<3600>>(weather.span).count();
  return {{"seeds", forecast.seeds},
          {"hours", hours * static_cast<double>(forecast.seeds)},
          {"inputs", forecast.inputs},
          {"inputs_per_second",
           static_cast<std::int64_t>(static_cast<double>(forecast.inputs) / std::max(cpu_seconds, 1e-6))},
          {"faults", std::move(faults)},
          {"services", std::move(services)},
          {"loops", std::move(loops)}};
}

std::string show_forecast(const json::object& forecast, bool color) {
  std::string text = fmt::format(
      "{} seeds, {:.0f} simulated hours, {} inputs ({} a CPU second)\nfaults:", text_at(forecast, "seeds"),
      forecast.at("hours").to_number<double>(), text_at(forecast, "inputs"), text_at(forecast, "inputs_per_second"));
  for (const auto& [name, count] : forecast.at("faults").as_object()) {
    text += fmt::format(" {} {}", std::string_view(name), count.to_number<std::uint64_t>());
  }
  Table table({"SERVICE", "FAULTS", "MTTD", "MTTR", "AVAILABILITY", "ACTIONS", "ESCALATIONS"});
  for (const json::value& item : list_at(forecast, "services")) {
    const json::object& service = item.as_object();
    const auto* available = service.if_contains("availability");
    table.add({{text_at(service, "name")},
               {text_at(service, "faults")},
               {span_at(service, "mttd_ms")},
               {span_at(service, "mttr_ms")},
               {available == nullptr ? "-" : fmt::format("{:.4f} %", available->to_number<double>() * 100)},
               {text_at(service, "actions")},
               {text_at(service, "escalations")}});
  }
  text += "\n\n" + table.text(color);
  for (const json::value& loop : list_at(forecast, "loops")) {
    text += paint("looks like a loop: ", Color::yellow, color) + std::string(loop.as_string()) + "\n";
  }
  return text;
}

}  // namespace homeostat::cli
