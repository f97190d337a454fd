#include "probe/slow_run.hpp"

#include <fmt/core.h>

#include <array>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <chrono>

#include "core/text.hpp"
#include "probe/read_answer.hpp"
#include "probe/redirect.hpp"
#include "probe/request.hpp"

namespace homeostat::probe {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;
using Answer = std::expected<std::vector<Address>, Finding>;

/// The end of a run's time. What the run is waiting for right now is in `abort`.
struct Deadline {
  explicit Deadline(asio::io_context& io, Duration timeout) : timer(io), began(Clock::now()), end(began + timeout) {}
  Duration elapsed() const { return Clock::now() - began; }

  asio::steady_timer timer;
  Clock::time_point began;
  Clock::time_point end;
  bool passed = false;
  std::function<void()> abort;
};
using DeadlinePtr = std::shared_ptr<Deadline>;

Finding failure(const Deadline& deadline, Result result, Reason reason, std::string detail) {
  return {{result, reason, 0, deadline.elapsed()}, for_people(detail)};
}

/// What an error of the network means for the run.
Finding broken(const Deadline& deadline, const error_code& error, const char* doing) {
  if (deadline.passed) return failure(deadline, Result::timeout, Reason::timed_out, fmt::format("while {}", doing));
  if (error == asio::error::eof || error == asio::ssl::error::stream_truncated) {
    return failure(deadline, Result::failure, Reason::reset, fmt::format("closed while {}", doing));
  }
  if (error.category() == boost::system::system_category()) {
    Finding found{failed_with(error.value()), words_for(error.value())};
    found.seen.latency = deadline.elapsed();
    return found;
  }
  return failure(deadline, Result::failure, Reason::other, fmt::format("{} while {}", error.message(), doing));
}

asio::awaitable<Answer> resolve(Means means, DeadlinePtr deadline, std::string host, std::uint16_t port) {
  if (auto address = numeric_address(host, port)) co_return std::vector<Address>{*address};
  struct Pending {
    asio::steady_timer wake;
    std::optional<Resolver::Answer> answer;
  };
  auto pending = std::make_shared<Pending>(Pending{asio::steady_timer(means.io, Clock::time_point::max()), {}});
  deadline->abort = [pending] { pending->wake.cancel(); };
  means.resolver.resolve(host, [pending](const Resolver::Answer& answer) {
    pending->answer = answer;
    pending->wake.cancel();
  });
  error_code ignored;
  if (!pending->answer && !deadline->passed)
    co_await pending->wake.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  deadline->abort = nullptr;
  std::string why = pending->answer ? "" : fmt::format("{}: no answer from the resolver in time", host);
  if (pending->answer && !*pending->answer) why = pending->answer->error();
  if (!why.empty()) {
    co_return std::unexpected(failure(*deadline, Result::unknown, Reason::no_resolver, std::move(why)));
  }
  std::vector<Address> found = **pending->answer;
  for (Address& address : found) {
    (address.v4.sin_family == AF_INET ? address.v4.sin_port : address.v6.sin6_port) = htons(port);
  }
  co_return found;
}

tcp::endpoint endpoint(const Address& address) {
  tcp::endpoint out;
  out.resize(address.size());
  std::memcpy(out.data(), address.raw(), address.size());
  return out;
}

/// Tries one address after the other; each gets its share of the time that is left.
asio::awaitable<error_code> connect(std::shared_ptr<tcp::socket> socket, DeadlinePtr deadline,
                                    std::vector<Address> addresses) {
  error_code error = asio::error::host_unreachable;
  for (std::size_t i = 0; i < addresses.size() && !deadline->passed; ++i) {
    error_code ignored;
    socket->close(ignored);
    asio::steady_timer share(socket->get_executor());
    share.expires_after((deadline->end - Clock::now()) / static_cast<int>(addresses.size() - i));
    share.async_wait([socket](error_code stopped) {
      error_code unused;
      if (!stopped) socket->cancel(unused);
    });
    co_await socket->async_connect(endpoint(addresses[i]), asio::redirect_error(asio::use_awaitable, error));
    share.cancel();
    if (!error) co_return error;
    if (error == asio::error::operation_aborted) error = asio::error::timed_out;
  }
  co_return error;
}

template <typename Stream>
asio::awaitable<Finding> talk_http(Stream& stream, DeadlinePtr deadline, const HttpSpec& spec, HttpParser& parser,
                                   const SlowRequest& of) {
  const auto request = request_bytes(spec, false);
  if (!request) co_return failure(*deadline, Result::unknown, Reason::internal, request.error().text);
  error_code error;
  co_await asio::async_write(stream, asio::buffer(*request), asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return broken(*deadline, error, "sending the request");
  parser.reset(spec.method == "HEAD", of.numbers.empty() ? body_wanted(spec) : kMaxBody);
  std::vector<char> buffer(16 * 1024);
  bool answering = false;
  while (parser.state() == HttpParser::State::more) {
    const std::size_t count =
        co_await stream.async_read_some(asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, error));
    answering |= count > 0;
    parser.feed(std::string_view(buffer.data(), count));
    const bool closed = error == asio::error::eof || error == asio::ssl::error::stream_truncated;
    if (closed && answering && !deadline->passed) {
      parser.end();
    } else if (error && parser.state() == HttpParser::State::more) {
      co_return broken(*deadline, error, answering ? "reading the answer" : "waiting for the answer");
    }
  }
  Finding found = judge(spec, parser, of.pattern.get(), deadline->elapsed());
  if (!of.numbers.empty()) found.told = read_answer(of.numbers, found, parser);
  co_return found;
}

asio::awaitable<Finding> talk_tls(Means means, tcp::socket& socket, DeadlinePtr deadline, const HttpSpec& spec,
                                  HttpParser& parser, const SlowRequest& of) {
  const Trust trust = spec.trust ? *spec.trust : Trust{};
  const auto context = means.contexts.get(trust.ca_file);
  if (!context) co_return failure(*deadline, Result::unknown, Reason::internal, context.error().text);
  asio::ssl::stream<tcp::socket&> stream(socket, **context);
  if (!expect_server(stream.native_handle(), trust.server_name.empty() ? spec.host : trust.server_name)) {
    co_return failure(*deadline, Result::unknown, Reason::internal, "the server name cannot be used for TLS");
  }
  error_code error;
  co_await stream.async_handshake(asio::ssl::stream_base::client, asio::redirect_error(asio::use_awaitable, error));
  if (error.category() == asio::error::get_ssl_category()) {
    co_return failure(*deadline, Result::failure, Reason::tls, handshake_words(stream.native_handle(), error));
  }
  if (error) co_return broken(*deadline, error, "shaking hands");
  co_return co_await talk_http(stream, deadline, spec, parser, of);
}

/// Connects to where `spec` points. Null: it failed, `found` says why.
template <typename Spec>
asio::awaitable<std::shared_ptr<tcp::socket>> reach(Means means, DeadlinePtr deadline, const Spec& spec,
                                                    Finding& found) {
  const auto port = parse_port(spec.port);
  if (!port) {
    found = failure(*deadline, Result::unknown, Reason::internal, fmt::format("\"{}\" is not a port", spec.port));
    co_return nullptr;
  }
  Answer addresses = co_await resolve(means, deadline, spec.host, *port);
  if (!addresses) {
    found = std::move(addresses.error());
    co_return nullptr;
  }
  auto socket = std::make_shared<tcp::socket>(means.io);
  deadline->abort = [socket] {  // closed, not only cancelled: what is begun afterwards fails as well
    error_code ignored;
    socket->close(ignored);
  };
  const error_code error = co_await connect(socket, deadline, std::move(*addresses));
  if (!error) co_return socket;
  found = broken(*deadline, error, "connecting");
  co_return nullptr;
}

asio::awaitable<Finding> look_http(Means means, DeadlinePtr deadline, const SlowRequest& request) {
  HttpSpec spec = std::get<HttpSpec>(request.what);
  HttpParser parser;
  for (std::uint32_t left = spec.follow_redirects;; --left) {
    Finding found;
    parser.reset(false, 0);
    const auto socket = co_await reach(means, deadline, spec, found);
    if (!socket) co_return found;
    if (spec.tls) {
      found = co_await talk_tls(means, *socket, deadline, spec, parser, request);
    } else {
      found = co_await talk_http(*socket, deadline, spec, parser, request);
    }
    const bool answered = parser.state() == HttpParser::State::done;
    auto next = left > 0 && answered ? redirected(spec, parser.status(), parser.location()) : std::nullopt;
    if (!next || deadline->passed) co_return found;
    spec = std::move(*next);
  }
}

asio::awaitable<Finding> look_tcp(Means means, DeadlinePtr deadline, const TcpSpec& spec) {
  Finding found;
  const auto socket = co_await reach(means, deadline, spec, found);
  if (!socket) co_return found;
  error_code error;
  co_await asio::async_write(*socket, asio::buffer(spec.send), asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return broken(*deadline, error, "sending");
  std::string got;
  std::array<char, 1024> buffer{};
  while (got.size() < spec.expect.size()) {
    const std::size_t count =
        co_await socket->async_read_some(asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, error));
    got.append(buffer.data(), count);
    if (!spec.expect.starts_with(std::string_view(got).substr(0, spec.expect.size()))) {
      co_return failure(*deadline, Result::failure, Reason::wrong_body,
                        fmt::format("answered {}, expected {}", printable(got, 80), printable(spec.expect, 80)));
    }
    if (error && got.size() < spec.expect.size()) co_return broken(*deadline, error, "waiting for the answer");
  }
  co_return failure(*deadline, Result::success, Reason::none, "");
}

}  // namespace

asio::awaitable<Finding> look(Means means, std::shared_ptr<const SlowRequest> request, Duration timeout) {
  auto deadline = std::make_shared<Deadline>(means.io, timeout);
  deadline->timer.expires_at(deadline->end);
  deadline->timer.async_wait([deadline](error_code stopped) {
    if (stopped) return;
    deadline->passed = true;
    if (deadline->abort) deadline->abort();
  });
  Finding found;
  if (const TcpSpec* tcp = std::get_if<TcpSpec>(&request->what)) {
    found = co_await look_tcp(means, deadline, *tcp);
  } else {
    found = co_await look_http(means, deadline, *request);
  }
  deadline->abort = nullptr;
  deadline->timer.cancel();
  co_return found;
}

}  // namespace homeostat::probe
