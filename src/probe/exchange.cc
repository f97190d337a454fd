#include "probe/exchange.hpp"

#include <fmt/core.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/text.hpp"
#include "probe/request.hpp"

namespace homeostat::probe {
namespace {

// A server that sends without end must not keep the loop busy.
constexpr int kReadsAtOnce = 4;
// Each may have kept a long body; more than a few are needed only when many targets hang at once.
constexpr std::size_t kIdleParsers = 64;

// With nobody listening, a connection to a local port of the dynamic range can meet itself and look like success.
bool met_itself(int fd) {
  sockaddr_storage local{};
  sockaddr_storage peer{};
  socklen_t local_size = sizeof local;
  socklen_t peer_size = sizeof peer;
  return ::getsockname(fd, reinterpret_cast<sockaddr*>(&local), &local_size) == 0 &&
         ::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &peer_size) == 0 && local_size == peer_size &&
         std::memcmp(&local, &peer, local_size) == 0;
}

}  // namespace

Exchange::Exchange(Network& network, std::uint32_t id, const Address& to, What what)
    : network_(network), id_(id), to_(to), what_(std::move(what)) {}

Exchange::~Exchange() { close(true); }

const std::string& Exchange::outgoing() const {
  const Http* http = std::get_if<Http>(&what_);
  return http != nullptr ? http->request : tcp()->send;
}

const TcpSpec* Exchange::tcp() const {
  const auto* tcp = std::get_if<std::unique_ptr<const TcpSpec>>(&what_);
  return tcp == nullptr ? nullptr : tcp->get();
}

// Thousands of targets share the few parsers that are needed at the same time.
void Exchange::expect_answer(const Http& http) {
  if (!parser_ && network_.parsers.empty()) parser_ = std::make_unique<HttpParser>();
  if (!parser_) {
    parser_ = std::move(network_.parsers.back());
    network_.parsers.pop_back();
  }
  parser_->reset(http.spec->method == "HEAD", body_wanted(*http.spec));
}

void Exchange::give_parser_back() {
  if (parser_ && network_.parsers.size() < kIdleParsers) network_.parsers.push_back(std::move(parser_));
  parser_.reset();
}

void Exchange::start() {
  began_ = network_.now();
  ++starts_;
  if (fd_) {
    reused_ = true;
    answering_ = false;
    sent_ = received_ = 0;
    phase_ = Phase::sending;
    expect_answer(std::get<Http>(what_));
    send_more();
  } else {
    open();
  }
}

void Exchange::open() {
  reused_ = answering_ = false;
  sent_ = received_ = 0;
  runs_ = 0;
  phase_ = Phase::connecting;
  if (const Http* http = std::get_if<Http>(&what_)) expect_answer(*http);
  auto fd = begin_connect(to_);
  if (!fd && (fd.error() == EMFILE || fd.error() == ENFILE) && network_.spare_descriptors()) fd = begin_connect(to_);
  if (!fd) return fail_with(fd.error());
  fd_ = std::move(*fd);
  // To a local address the connection stands already: trying at once saves a round through the loop.
  if (!outgoing().empty()) return send_more();
  if (connected()) return;
  if (phase_ == Phase::connecting) watch(EPOLLOUT);
}

bool Exchange::connected() {
  if (::connect(fd_.get(), to_.raw(), to_.size()) != 0 && errno != EISCONN) {
    if (errno == EALREADY || errno == EINPROGRESS) return false;
    fail_with(errno);
    return true;
  }
  if (met_itself(fd_.get())) {
    fail_with(ECONNREFUSED);
  } else if (tcp()->expect.empty()) {
    finish({{Result::success, Reason::none, 0, elapsed()}, {}});
  } else {
    phase_ = Phase::receiving;
    watch(EPOLLIN);
  }
  return true;
}

void Exchange::send_more() {
  const std::string& out = outgoing();
  while (sent_ < out.size()) {
    const ssize_t count = ::send(fd_.get(), out.data() + sent_, out.size() - sent_, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) {
      watch(EPOLLOUT);
      return;
    }
    if (count < 0) return on_close(errno);
    sent_ += static_cast<std::size_t>(count);
    phase_ = Phase::sending;
  }
  if (tcp() != nullptr && met_itself(fd_.get())) return fail_with(ECONNREFUSED);
  if (tcp() != nullptr && tcp()->expect.empty()) return finish({{Result::success, Reason::none, 0, elapsed()}, {}});
  phase_ = Phase::receiving;
  watch(EPOLLIN);
}

void Exchange::ready(std::uint32_t) {
  switch (phase_) {
    case Phase::idle:  // the server closed the connection, or speaks unasked
      close(true);
      return;
    case Phase::connecting:
      if (outgoing().empty()) {
        connected();
        return;
      }
      [[fallthrough]];
    case Phase::sending:
      return send_more();
    case Phase::receiving:
      return receive();
  }
}

void Exchange::receive() {
  for (int round = 0; round < kReadsAtOnce && phase_ == Phase::receiving; ++round) {
    const ssize_t count = ::recv(fd_.get(), network_.buffer.data(), network_.buffer.size(), MSG_DONTWAIT);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) return on_close(count == 0 ? 0 : errno);
    answering_ = true;
    take(std::string_view(network_.buffer.data(), static_cast<std::size_t>(count)));
    if (static_cast<std::size_t>(count) < network_.buffer.size()) return;
  }
}

void Exchange::take(std::string_view bytes) {
  received_ += bytes.size();
  const Http* http = std::get_if<Http>(&what_);
  if (http == nullptr) return take_tcp(bytes);
  if (parser_->feed(bytes) == HttpParser::State::more) return;
  // Some servers say 408 on a connection that has waited too long for its next request.
  if (reused_ && parser_->status() == 408) {
    close(true);
    return open();
  }
  finish(judge(*http->spec, *parser_, nullptr, elapsed()));
}

void Exchange::take_tcp(std::string_view bytes) {
  const std::string& expect = tcp()->expect;
  const std::size_t from = received_ - bytes.size();
  const std::size_t count = std::min(bytes.size(), expect.size() - from);
  if (bytes.substr(0, count) != std::string_view(expect).substr(from, count)) {
    return finish({{Result::failure, Reason::wrong_body, 0, elapsed()},
                   for_people(fmt::format("answered {}, expected {}", printable(bytes, 80), printable(expect, 80)))});
  }
  if (from + count == expect.size()) finish({{Result::success, Reason::none, 0, elapsed()}, {}});
}

void Exchange::on_close(int error) {
  if (reused_ && !answering_) {  // the connection had gone stale: that says nothing about the target
    close(true);
    return open();
  }
  const Http* http = std::get_if<Http>(&what_);
  if (error != 0) return fail_with(error);
  if (http != nullptr && answering_) {
    parser_->end();
    return finish(judge(*http->spec, *parser_, nullptr, elapsed()));
  }
  finish({{Result::failure, Reason::reset, 0, elapsed()}, "closed without an answer"});
}

void Exchange::fail_with(int error) {
  Observation seen = failed_with(error);
  seen.latency = elapsed();
  finish({seen, words_for(error)});
}

bool Exchange::watch(std::uint32_t events) {
  if (watched_ == events) return true;
  if (watched_ != 0) {
    network_.loop.modify(fd_.get(), events, *this);
  } else if (auto added = network_.loop.add(fd_.get(), events, *this); !added) {
    finish({{Result::unknown, Reason::internal, 0, elapsed()}, added.error().text});
    return false;
  }
  watched_ = events;
  return true;
}

void Exchange::close(bool abruptly) {
  if (!fd_) return;
  if (watched_ != 0) network_.loop.remove(fd_.get(), *this);
  watched_ = 0;
  if (abruptly) {  // leaves no connection in TIME_WAIT, and a server that hangs hears of it at once
    const linger now{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }
  fd_.reset();
}

void Exchange::finish(Finding found) {
  phase_ = Phase::idle;
  const Http* http = std::get_if<Http>(&what_);
  ++runs_;
  const bool keep = http != nullptr && http->reuse && found.seen.good() && parser_->reusable() &&
                    runs_ < http->spec->fresh_every && network_.keep_connections;
  give_parser_back();
  // What was sent to a plain TCP server must arrive, so such a connection is closed in peace.
  if (!keep) close(http != nullptr || !found.seen.good());
  network_.finished(id_, std::move(found));
}

void Exchange::time_out() {
  const std::uint32_t run = starts_;
  if (phase_ == Phase::receiving) receive();
  if (phase_ == Phase::idle || starts_ != run) return;
  std::string detail = "no connection";
  if (phase_ == Phase::sending) detail = "connected, but the request is not taken";
  if (phase_ == Phase::receiving) {
    detail = received_ == 0 ? "connected, but no answer" : fmt::format("only {} bytes of an answer", received_);
  }
  finish({{Result::timeout, Reason::timed_out, 0, elapsed()}, std::move(detail)});
}

void Exchange::cancel() {
  phase_ = Phase::idle;
  give_parser_back();
  close(true);
}

bool Exchange::close_idle() {
  if (phase_ != Phase::idle || !fd_) return false;
  close(true);
  return true;
}

}  // namespace homeostat::probe
