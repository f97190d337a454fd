// A worker: takes a while to start, then asks for one job after the other. Told to end, it finishes what it has in
// hand.
//
// Usage: scaling_worker --port N --jobs PORT [--start MILLISECONDS] [--job MILLISECONDS]
// It listens on its port as soon as it works; a check that connects to it is how others see that.
#include <boost/asio.hpp>
#include <boost/beast.hpp>
#include <csignal>
#include <cstdio>
#include <string>
#include <thread>

#include "options.hpp"

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;

namespace {

volatile std::sig_atomic_t stopping = 0;

/// Whether there is something to do; without an answer there is nobody to work for.
bool say(tcp::socket& jobs, const char* target) {
  http::request<http::empty_body> request(http::verb::post, target, 11);
  request.set(http::field::host, "127.0.0.1");
  http::write(jobs, request);
  boost::beast::flat_buffer buffer;
  http::response<http::string_body> response;
  http::read(jobs, buffer, response);
  return response.result() == http::status::ok;
}

/// Whoever connects sees that we are there.
void greet(tcp::acceptor& door) {
  boost::system::error_code none;
  for (int i = 0; i < 16 && !none; ++i) {
    tcp::socket caller = door.accept(none);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const workers::Options options(argc, argv, {"--port", "--jobs", "--start", "--job"});
  const auto work = std::chrono::milliseconds(options.count("--job", 100));
  std::signal(SIGTERM, [](int) { stopping = 1; });
  std::signal(SIGPIPE, SIG_IGN);
  std::this_thread::sleep_for(std::chrono::milliseconds(options.count("--start", 3000)));
  try {
    asio::io_context io(1);
    tcp::acceptor door(io, {asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(options.count("--port"))});
    door.non_blocking(true);
    tcp::socket jobs(io);
    jobs.connect({asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(options.count("--jobs"))});
    while (stopping == 0) {
      if (say(jobs, "/next")) std::this_thread::sleep_for(work);
      greet(door);
    }
    say(jobs, "/done");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
