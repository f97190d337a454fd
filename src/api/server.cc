#include "api/server.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <optional>
#include <set>
#include <thread>

#include "api/incoming.hpp"
#include "api/listener.hpp"

namespace homeostat::api {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;
using Local = asio::local::stream_protocol;
using Tcp = asio::ip::tcp;
using Any = asio::generic::stream_protocol;

constexpr std::chrono::milliseconds kAcceptAgain{100};
constexpr std::size_t kMostOutside = 32;  // connections over the network, so that they leave room for the local ones

/// Takes as long for a wrong one as for a right one of the same length.
bool same_secret(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned differ = 0;
  for (std::size_t i = 0; i < a.size(); ++i) differ |= static_cast<unsigned char>(a[i] ^ b[i]);
  return differ == 0;
}

std::optional<Response> refuse_stranger(const Outside& outside, const std::string& authorization) {
  if (outside.authorizations.empty()) return std::nullopt;
  bool known = false;
  for (const std::string& one : outside.authorizations) known = same_secret(one, authorization) || known;
  if (known) return std::nullopt;
  return refuse(401, "this needs an `Authorization` that is known here");
}

class Session;

}  // namespace

/// The server's thread: connections and who answers them. Everything but `reply_to` happens on that thread.
class ServerCore : public std::enable_shared_from_this<ServerCore> {
 public:
  ServerCore(ServerOptions options, Handler engine, std::function<Response(const Request&)> journal)
      : options_(std::move(options)), engine_(std::move(engine)), journal_(std::move(journal)) {}

  std::expected<void, Error> start();
  void stop();

  const ServerOptions& options() const { return options_; }
  void answer(Request request, Reply reply);
  /// A Reply that may be called from anywhere, and outlives the session and the server.
  Reply reply_to(const std::shared_ptr<Session>& session, std::uint64_t exchange);
  void remove(const std::shared_ptr<Session>& session) { sessions_.erase(session); }

 private:
  std::expected<void, Error> listen_outside();
  void accept();
  void accept_outside();
  void admit(Local::socket socket);
  void admit_outside(Tcp::socket socket);
  /// Closes the connection that has been silent for longest; false when all of them are being answered.
  bool make_room();

  ServerOptions options_;
  Handler engine_;
  std::function<Response(const Request&)> journal_;
  asio::io_context io_{1};
  Local::acceptor acceptor_{io_};
  Tcp::acceptor outside_{io_};
  asio::steady_timer accept_again_{io_};
  asio::steady_timer accept_outside_again_{io_};
  std::set<std::shared_ptr<Session>> sessions_;
  asio::thread_pool disk_{1};
  std::thread thread_;
};

namespace {

/// One connection: reads a request, has it answered, writes the answer, begins again.
class Session : public std::enable_shared_from_this<Session> {
 public:
  /// `uid`: of who is at the other end of the local socket; nothing: it is somebody over the network.
  Session(Any::socket socket, std::optional<uid_t> uid, ServerCore& core)
      : core_(core),
        stream_(std::move(socket)),
        late_(stream_.get_executor()),
        uid_(uid.value_or(0)),
        outside_(!uid),
        user_(uid ? user_name(*uid) : "the network") {}

  bool outside() const { return outside_; }

  void read_header() {
    silent_since_ = std::chrono::steady_clock::now();
    incoming_.emplace();
    stream_.expires_after(core_.options().header_within);
    http::async_read_header(stream_, buffer_, incoming_->parser(),
                            [self = shared_from_this()](error_code error, std::size_t) { self->header_read(error); });
  }

  /// Since when a whole request is awaited; nothing while one is being answered.
  std::optional<std::chrono::steady_clock::time_point> silent_since() const { return silent_since_; }

  void close() {
    late_.cancel();
    error_code ignored;
    stream_.socket().close(ignored);
  }

  /// The handler's answer to exchange number `exchange`; one that comes too late is dropped.
  void answered(std::uint64_t exchange, Response response) {
    if (!waiting_ || exchange != exchange_) return;
    late_.cancel();
    respond(std::move(response), incoming_->keep_alive());
  }

 private:
  using Stream = beast::basic_stream<Any>;

  void header_read(error_code error) {
    if (error) return refuse_or_end(error);
    if (auto refusal = incoming_->refuse_head()) return respond(std::move(*refusal), false);
    if (outside_) {
      auto stranger = refuse_stranger(*core_.options().outside, incoming_->authorization());
      if (stranger) return respond(std::move(*stranger), false);
    }
    stream_.expires_after(core_.options().body_within);
    http::async_read(stream_, buffer_, incoming_->parser(),
                     [self = shared_from_this()](error_code failed, std::size_t) {
                       if (failed) return self->refuse_or_end(failed);
                       self->serve();
                     });
  }

  void serve() {
    stream_.expires_never();
    silent_since_.reset();
    auto request = incoming_->take();
    if (!request) return respond(std::move(request.error()), incoming_->keep_alive());
    if (outside_ && request->verb != "alerts")
      return respond(refuse(404, "over the network only alerts are taken: POST /v1/alerts"), false);
    request->outside = outside_;
    request->uid = uid_;
    request->user = user_;
    waiting_ = true;
    ++exchange_;
    late_.expires_after(core_.options().answer_within);
    late_.async_wait([self = shared_from_this(), exchange = exchange_](error_code error) {
      if (!error) self->answered(exchange, refuse(503, "the engine did not answer in time"));
    });
    core_.answer(std::move(*request), core_.reply_to(shared_from_this(), exchange_));
  }

  void refuse_or_end(error_code error) {
    auto refusal = refuse_unread(error);
    if (!refusal) return end();
    respond(std::move(*refusal), false);
  }

  void respond(Response response, bool keep) {
    waiting_ = false;
    response_.emplace(static_cast<http::status>(response.status), 11);
    response_->set(http::field::server, "homeostat");
    response_->set(http::field::content_type, "application/json");
    response_->set(http::field::cache_control, "no-store");
    response_->body() = std::move(response.json);
    response_->keep_alive(keep);
    response_->prepare_payload();
    stream_.expires_after(core_.options().body_within);
    http::async_write(stream_, *response_, [self = shared_from_this(), keep](error_code error, std::size_t) {
      if (error || !keep) return self->finish();
      self->read_header();
    });
  }

  // What was refused may still be on its way here; closing at once would reset the connection under the answer.
  void finish() {
    error_code ignored;
    stream_.socket().shutdown(Any::socket::shutdown_send, ignored);
    stream_.expires_after(core_.options().header_within);
    drain(4 << 20);
  }

  void drain(std::size_t left) {
    buffer_.clear();
    stream_.async_read_some(buffer_.prepare(16 << 10),
                            [self = shared_from_this(), left](error_code error, std::size_t n) {
                              if (error || n >= left) return self->end();
                              self->drain(left - n);
                            });
  }

  void end() {
    close();
    core_.remove(shared_from_this());
  }

  ServerCore& core_;
  Stream stream_;
  asio::steady_timer late_;
  uid_t uid_;
  bool outside_;
  std::string user_;
  beast::flat_buffer buffer_ = incoming_buffer();
  std::optional<Incoming> incoming_;
  std::optional<http::response<http::string_body>> response_;
  std::optional<std::chrono::steady_clock::time_point> silent_since_;
  std::uint64_t exchange_ = 0;
  bool waiting_ = false;  // for the handler's answer
};

}  // namespace

std::expected<void, Error> ServerCore::start() {
  auto listener = listen_at(options_.socket);
  if (!listener) return std::unexpected(listener.error());
  acceptor_.assign(Local(), listener->release());
  accept();
  if (options_.outside) {
    if (auto listening = listen_outside(); !listening) return listening;
    accept_outside();
  }
  thread_ = std::thread([this] { io_.run(); });
  return {};
}

void ServerCore::stop() {
  asio::post(io_, [this] {
    unlink_listener(options_.socket, acceptor_.native_handle());
    error_code ignored;
    acceptor_.close(ignored);
    outside_.close(ignored);
    accept_again_.cancel();
    accept_outside_again_.cancel();
    for (const auto& session : sessions_) session->close();
    sessions_.clear();
  });
  // Every wait has been cancelled, so the thread runs out of work; answers that are still to come go nowhere.
  thread_.join();
  disk_.join();
}

void ServerCore::accept() {
  acceptor_.async_accept([this](error_code error, Local::socket socket) {
    if (!acceptor_.is_open()) return;
    if (!error) {
      admit(std::move(socket));
      return accept();
    }
    // Out of descriptors: the connection stays in the queue, so asking at once again would spin.
    accept_again_.expires_after(kAcceptAgain);
    accept_again_.async_wait([this](error_code cancelled) {
      if (!cancelled && acceptor_.is_open()) accept();
    });
  });
}

std::expected<void, Error> ServerCore::listen_outside() {
  const Outside& where = *options_.outside;
  error_code error;
  const auto address = asio::ip::make_address(where.address, error);
  const Tcp::endpoint endpoint(address, where.port);
  if (!error) outside_.open(endpoint.protocol(), error);
  if (!error) outside_.set_option(Tcp::acceptor::reuse_address(true), error);
  if (!error) outside_.bind(endpoint, error);
  if (!error) outside_.listen(asio::socket_base::max_listen_connections, error);
  if (!error) return {};
  return fail("cannot listen for alerts at " + where.address + ":" + std::to_string(where.port) + ": " +
              error.message());
}

void ServerCore::accept_outside() {
  outside_.async_accept([this](error_code error, Tcp::socket socket) {
    if (!outside_.is_open()) return;
    if (!error) {
      admit_outside(std::move(socket));
      return accept_outside();
    }
    accept_outside_again_.expires_after(kAcceptAgain);
    accept_outside_again_.async_wait([this](error_code cancelled) {
      if (!cancelled && outside_.is_open()) accept_outside();
    });
  });
}

void ServerCore::admit_outside(Tcp::socket socket) {
  const auto there = std::ranges::count_if(sessions_, [](const auto& session) { return session->outside(); });
  if (static_cast<std::size_t>(there) >= kMostOutside) return;
  const auto session = std::make_shared<Session>(Any::socket(std::move(socket)), std::nullopt, *this);
  sessions_.insert(session);
  session->read_header();
}

void ServerCore::admit(Local::socket socket) {
  const auto uid = peer_uid(socket.native_handle());
  if (!uid || (*uid != 0 && *uid != ::geteuid())) return;
  if (sessions_.size() >= options_.max_connections && !make_room()) return;
  const auto session = std::make_shared<Session>(Any::socket(std::move(socket)), *uid, *this);
  sessions_.insert(session);
  session->read_header();
}

bool ServerCore::make_room() {
  std::shared_ptr<Session> longest;
  for (const auto& session : sessions_) {
    const auto since = session->silent_since();
    if (since && (!longest || *since < *longest->silent_since())) longest = session;
  }
  if (!longest) return false;
  longest->close();
  return sessions_.erase(longest) > 0;
}

Reply ServerCore::reply_to(const std::shared_ptr<Session>& session, std::uint64_t exchange) {
  return [core = shared_from_this(), weak = std::weak_ptr(session), exchange,
          done = std::make_shared<std::atomic<bool>>(false)](Response response) {
    if (done->exchange(true)) return;
    asio::post(core->io_, [weak, exchange, response = std::move(response)]() mutable {
      if (const auto alive = weak.lock()) alive->answered(exchange, std::move(response));
    });
  };
}

void ServerCore::answer(Request request, Reply reply) {
  if (!reads_journal(request)) return engine_(std::move(request), std::move(reply));
  asio::post(disk_, [this, request = std::move(request), reply = std::move(reply)] { reply(journal_(request)); });
}

std::expected<std::unique_ptr<Server>, Error> Server::open(ServerOptions options, Handler engine,
                                                           std::function<Response(const Request&)> journal) {
  auto core = std::make_shared<ServerCore>(std::move(options), std::move(engine), std::move(journal));
  if (auto started = core->start(); !started) return std::unexpected(started.error());
  return std::unique_ptr<Server>(new Server(std::move(core)));
}

Server::~Server() { core_->stop(); }

}  // namespace homeostat::api
