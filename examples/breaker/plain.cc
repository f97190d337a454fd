// A client that stops calling a service that fails, and comes back when it works again.
#include <chrono>
#include <cstdio>
#include <expected>
#include <homeostat/breaker.hpp>
#include <string>

using namespace std::chrono_literals;

struct Response {
  int status = 200;
  std::string body;
};

int main() {
  homeostat::BreakerOptions options;
  options.failure_rate = 50;  // percent
  options.window_time = 10s;  // … of the calls of the last ten seconds
  options.min_calls = 5;      // but not on fewer than these
  options.open_for = 30s;
  homeostat::Breaker breaker("payments", options);

  // What counts as a failure. A 404 is an answer; a 503 may say when to come again.
  const auto judge = [](const Response& response) -> homeostat::CallVerdict {
    if (response.status == 503) return {homeostat::CallOutcome::failure, 42s};
    return response.status >= 500 ? homeostat::CallOutcome::failure : homeostat::CallOutcome::success;
  };
  const auto pay = [] { return Response{503, "overloaded"}; };

  for (int i = 0; i < 8; ++i) {
    const std::expected<Response, homeostat::Rejected> answer = breaker.call(pay, judge);
    if (answer) {
      std::printf("answered %d\n", answer->status);
    } else {
      const auto wait = std::chrono::ceil<std::chrono::seconds>(answer.error().retry_after);
      std::printf("not called, again in %d s\n", static_cast<int>(wait.count()));
    }
  }
  return breaker.state() == homeostat::BreakerState::open ? 0 : 1;
}
