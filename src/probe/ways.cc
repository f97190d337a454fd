// How each kind of check is looked at: decided once, when a target is prepared.
#include <fmt/core.h>
#include <re2/re2.h>

#include "probe/exec_check.hpp"
#include "probe/fill.hpp"
#include "probe/prober.hpp"
#include "probe/request.hpp"

namespace homeostat::probe {

Prober::Way Prober::way_to(std::uint32_t target, const Spec& spec, const Place& place) {
  if (const auto* http = std::get_if<HttpSpec>(&spec)) return way_to(target, filled(*http, place));
  if (const auto* tcp = std::get_if<TcpSpec>(&spec)) return way_to(target, filled(*tcp, place));
  if (const auto* exec = std::get_if<ExecSpec>(&spec)) return way_to(*exec, place);
  if (const auto* file = std::get_if<FileSpec>(&spec)) {
    FileSpec at = *file;
    at.path = fill(at.path, place);
    return std::make_shared<const FileSpec>(std::move(at));
  }
  if (const auto* promql = std::get_if<PromqlSpec>(&spec)) return std::make_unique<PromqlCheck>(*promql, place);
  if (const auto* haproxy = std::get_if<HaproxySpec>(&spec)) return std::make_unique<HaproxyCheck>(*haproxy, place);
  return ProcessSpec{};  // the program around knows
}

Prober::Way Prober::way_to(std::uint32_t target, const HttpSpec& spec) {
  const bool reuse = spec.connection == Connection::reuse && spec.fresh_every > 1;
  auto request = request_bytes(spec, reuse);
  if (!request) return Broken{request.error().text};
  const auto port = parse_port(spec.port);
  if (!port) return Broken{fmt::format("\"{}\" is not a port", spec.port)};
  const auto address = numeric_address(spec.host, *port);
  if (!spec.tls && spec.matches.empty() && spec.follow_redirects == 0 && address) {
    return std::make_unique<Exchange>(network_, target, *address,
                                      Exchange::Http{judged_by(spec), std::move(*request), reuse});
  }
  auto slow = std::make_shared<SlowRequest>();
  slow->what = spec;
  if (!spec.matches.empty()) {
    auto pattern = std::make_shared<const re2::RE2>(spec.matches.str(), re2::RE2::Quiet);
    if (!pattern->ok()) return Broken{fmt::format("the pattern \"{}\": {}", spec.matches.str(), pattern->error())};
    slow->pattern = std::move(pattern);
  }
  return slow;
}

// Without what the request is made of, the specs of many targets are the same: then they share one.
std::shared_ptr<const HttpSpec> Prober::judged_by(HttpSpec spec) {
  for (std::string* text : {&spec.host, &spec.port, &spec.path}) text->clear();
  spec.headers.clear();
  if (!judged_by_ || *judged_by_ != spec) judged_by_ = std::make_shared<const HttpSpec>(std::move(spec));
  return judged_by_;
}

Prober::Way Prober::way_to(std::uint32_t target, const TcpSpec& spec) {
  const auto port = parse_port(spec.port);
  if (!port) return Broken{fmt::format("\"{}\" is not a port", spec.port)};
  if (const auto address = numeric_address(spec.host, *port)) {
    return std::make_unique<Exchange>(network_, target, *address, std::make_unique<const TcpSpec>(spec));
  }
  auto slow = std::make_shared<SlowRequest>();
  slow->what = spec;
  return slow;
}

Prober::Way Prober::way_to(const ExecSpec& spec, const Place& place) {
  if (const std::string_view why = unfit(spec, place); !why.empty()) return Broken{std::string(why)};
  return std::make_unique<Command>(child_for(spec, place));
}

}  // namespace homeostat::probe
