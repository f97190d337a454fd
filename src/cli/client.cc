#include "cli/client.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <thread>
#include <utility>

#include "api/answer.hpp"
#include "api/past.hpp"
#include "api/status.hpp"
#include "api/why.hpp"
#include "cli/http.hpp"

namespace homeostat::cli {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kAnswerWithin = 30s;
constexpr int kTries = 20;
constexpr std::chrono::milliseconds kTryAgain = 100ms;

int exit_code_of(int status) {
  if (status >= 500) return kUnreachable;
  return status == 400 ? kUsage : kRefused;
}

Answer read_answer(const HttpAnswer& answer) {
  auto object = api::parse_object(answer.body);
  if (!object) return std::unexpected(Failure{kUnreachable, "the daemon's answer is damaged", false});
  if (answer.status == 200) return std::move(*object);
  const json::value* error = object->if_contains("error");
  const bool told = error != nullptr && error->is_string();
  return std::unexpected(Failure{exit_code_of(answer.status),
                                 told ? std::string(error->get_string()) : fmt::format("HTTP {}", answer.status),
                                 false});
}

Answer call(const Context& context, const std::string& method, const std::string& target, const std::string& body) {
  for (int i = 1;; ++i) {
    const auto answer = http_call(context.socket, method, target, body, kAnswerWithin);
    if (answer) return read_answer(*answer);
    const HttpError& error = answer.error();
    // With all its connections taken the daemon closes new ones at once. Only what changes nothing is repeated.
    if (error.silent && method == "GET" && i < kTries) {
      std::this_thread::sleep_for(kTryAgain);
      continue;
    }
    const std::string text = error.nobody ? "no daemon is running: " + error.text : error.text;
    return std::unexpected(Failure{kUnreachable, text, error.nobody});
  }
}

void say_offline(const Context& context) {
  static bool said = false;  // `why` reads twice
  if (std::exchange(said, true)) return;
  std::fprintf(stderr, "homeostat: daemon not running; read from the journal in %s\n", context.state_dir.c_str());
}

Failure no_journal(const Error& error) { return {kUnreachable, "no daemon is running, and " + error.text, false}; }

/// A request answered as the daemon's journal thread would.
Answer from_journal(const Context& context, const std::string& target) {
  const auto request = api::parse_request(false, target, "");
  if (!request) return std::unexpected(Failure{kUsage, "the query is not well formed", false});
  const api::Response response = api::answer_from_journal(context.state_dir, *request);
  auto answer = read_answer({static_cast<int>(response.status), response.json});
  if (!answer && response.status >= 500) answer.error().text = "no daemon is running, and " + answer.error().text;
  if (answer) say_offline(context);
  return answer;
}

Answer get_or_read(const Context& context, const std::string& target) {
  auto answer = get(context, target);
  if (answer || !answer.error().nobody) return answer;
  return from_journal(context, target);
}

Failure unknown_service(const std::string& service) {
  return {kRefused, "the journal knows no service " + service, false};
}

}  // namespace

Answer get(const Context& context, const std::string& target) { return call(context, "GET", target, ""); }

Answer post(const Context& context, const std::string& target, const json::object& body) {
  return call(context, "POST", target, json::serialize(body));
}

std::string escape(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

Answer status(const Context& context, const std::string& service) {
  auto answer = get(context, "/v1/status" + (service.empty() ? "" : "?service=" + escape(service)));
  if (answer || !answer.error().nobody) return answer;
  const auto past = api::read_past(context.state_dir);
  if (!past) return std::unexpected(no_journal(past.error()));
  if (!service.empty() && !past->durable.services.contains(service)) return std::unexpected(unknown_service(service));
  say_offline(context);
  return api::status_view(api::View::offline(past->durable, api::present(past->last)), service);
}

Answer why(const Context& context, const std::string& service) {
  auto answer = get(context, "/v1/why/" + escape(service));
  if (answer || !answer.error().nobody) return answer;
  const auto past = api::read_past(context.state_dir);
  if (!past) return std::unexpected(no_journal(past.error()));
  auto view = api::why_view(api::View::offline(past->durable, api::present(past->last)), service);
  if (!view) return std::unexpected(unknown_service(service));
  say_offline(context);
  return std::move(*view);
}

Answer history(const Context& context, const std::string& query) { return get_or_read(context, "/v1/history" + query); }

Answer stats(const Context& context, const std::string& window, const std::string& service) {
  std::string query = "?window=" + escape(window);
  if (!service.empty()) query += "&service=" + escape(service);
  return get_or_read(context, "/v1/stats" + query);
}

Answer lines(const Context& context, std::uint64_t after, const std::string& service) {
  std::string query = fmt::format("?after={}", after);
  if (!service.empty()) query += "&service=" + escape(service);
  return get(context, "/v1/journal" + query);
}

int complain(const Failure& failure) { return complain(failure.code, failure.text); }

}  // namespace homeostat::cli
