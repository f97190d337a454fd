// The load: jobs that come in at random moments, more and fewer of them as time goes by, and workers that ask for them.
// Once a second it writes down what it sees: a row of what came in, what waits, who works and how long the jobs took.
//
// Usage: scaling_jobs --port N --rows FILE [--seed N] [--shape SECONDS:RATE,…]
//   POST /next   the worker has done what it had; answers 200 with a job, or 204 when none came within a second
//   POST /done   the worker has done what it had and takes no more
//   GET /stats   {"waiting": …, "added": …, "done": …}
#include <algorithm>
#include <boost/asio.hpp>
#include <boost/beast.hpp>
#include <cmath>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "board.hpp"
#include "options.hpp"

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using workers::Board;
using workers::Clock;
using namespace std::chrono_literals;

namespace {

/// So many jobs a second, for so long.
struct Stretch {
  std::chrono::seconds length{};
  double rate = 0;
};

using Shape = std::vector<Stretch>;

Shape shape_of(std::string_view text) {
  Shape shape;
  while (!text.empty()) {
    const std::string_view one = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), one.size() + 1));
    const std::size_t colon = one.find(':');
    if (colon == std::string_view::npos) workers::usage("--shape is SECONDS:RATE,SECONDS:RATE…");
    const auto seconds = workers::number(one.substr(0, colon), "--shape");
    shape.push_back(
        {std::chrono::seconds(seconds), static_cast<double>(workers::number(one.substr(colon + 1), "--shape"))});
  }
  return shape;
}

/// Everybody who works: those who wait for a job are served in the order in which they asked.
struct Hall {
  Board board;
  std::map<std::uint64_t, std::function<void()>> asking;  // what answers them, the longest waiting first
  std::uint64_t next_worker = 0;
  std::size_t workers = 0;

  void hand_out() {
    while (board.waiting() > 0 && !asking.empty()) {
      const auto answer = std::move(asking.begin()->second);
      asking.erase(asking.begin());
      answer();
    }
  }
};

/// One connection: a worker's, or one that only asks how it stands.
class Caller : public std::enable_shared_from_this<Caller> {
 public:
  Caller(tcp::socket socket, Hall& hall) : stream_(std::move(socket)), hall_(hall), patience_(stream_.get_executor()) {}
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;
  ~Caller() {
    hall_.board.put_back(id_);
    if (works_) --hall_.workers;
  }

  void read() {
    request_ = {};
    http::async_read(stream_, buffer_, request_, [self = shared_from_this()](error_code error, std::size_t) {
      if (!error) self->serve();
    });
  }

 private:
  void serve() {
    if (request_.target() == "/stats") {
      const Board& board = hall_.board;
      return answer(http::status::ok, "{\"waiting\": " + std::to_string(board.waiting()) +
                                          ", \"added\": " + std::to_string(board.added()) +
                                          ", \"done\": " + std::to_string(board.done()) + "}\n");
    }
    if (!std::exchange(works_, true)) ++hall_.workers;
    hall_.board.finish(id_, Clock::now());
    if (request_.target() == "/done") return answer(http::status::ok, "");
    if (request_.target() != "/next") return answer(http::status::not_found, "");
    ask();
  }

  void ask() {
    const std::uint64_t turn = ++hall_.next_worker;
    hall_.asking[turn] = [self = shared_from_this()] {
      self->patience_.cancel();
      self->hall_.board.take(self->id_);
      self->answer(http::status::ok, "job\n");
    };
    patience_.expires_after(1s);
    patience_.async_wait([self = shared_from_this(), turn](error_code cancelled) {
      if (cancelled || self->hall_.asking.erase(turn) == 0) return;
      self->answer(http::status::no_content, "");
    });
    hall_.hand_out();
  }

  void answer(http::status status, std::string body) {
    response_ = {};
    response_.version(request_.version());
    response_.result(status);
    response_.set(http::field::content_type, "application/json");
    response_.body() = std::move(body);
    response_.keep_alive(request_.keep_alive());
    response_.prepare_payload();
    http::async_write(stream_, response_, [self = shared_from_this()](error_code error, std::size_t) {
      if (!error && self->response_.keep_alive()) self->read();
    });
  }

  static inline std::uint64_t made_ = 0;
  std::uint64_t id_ = ++made_;
  bool works_ = false;
  tcp::socket stream_;
  Hall& hall_;
  asio::steady_timer patience_;  // of one that waits for a job
  beast::flat_buffer buffer_;
  http::request<http::string_body> request_;
  http::response<http::string_body> response_;
};

/// Lets people in.
class Door {
 public:
  Door(asio::io_context& io, std::uint16_t port, Hall& hall)
      : acceptor_(io, {asio::ip::address_v4::loopback(), port}), hall_(hall) {
    accept();
  }

 private:
  void accept() {
    acceptor_.async_accept([this](error_code error, tcp::socket socket) {
      if (!error) std::make_shared<Caller>(std::move(socket), hall_)->read();
      accept();
    });
  }

  tcp::acceptor acceptor_;
  Hall& hall_;
};

/// Brings the jobs, each after a random time that is short when there are many, and says when it is over.
class Load {
 public:
  Load(asio::io_context& io, Hall& hall, Shape shape, std::uint64_t seed)
      : timer_(io), hall_(hall), shape_(std::move(shape)), random_(seed), ends_(Clock::now()) {
    next_stretch();
  }

  double rate() const { return over() ? 0 : shape_[at_].rate; }
  bool over() const { return at_ >= shape_.size(); }

 private:
  void next_stretch() {
    if (!over()) ends_ += shape_[at_].length;
    due_ = Clock::now();
    wait();
  }

  void wait() {
    if (over()) return;
    const double uniform = 1 - static_cast<double>(random_() >> 11U) * 0x1p-53;
    due_ += std::chrono::nanoseconds(static_cast<std::int64_t>(-std::log(uniform) / std::max(rate(), 1e-3) * 1e9));
    timer_.expires_at(std::min(due_, ends_));
    timer_.async_wait([this](error_code) {
      if (due_ >= ends_) {
        ++at_;
        return next_stretch();
      }
      hall_.board.add(Clock::now());
      hall_.hand_out();
      wait();
    });
  }

  asio::steady_timer timer_;
  Hall& hall_;
  Shape shape_;
  std::size_t at_ = 0;
  std::mt19937_64 random_;
  Clock::time_point ends_;
  Clock::time_point due_;
};

double milliseconds_at(std::vector<Clock::duration>& took, std::size_t percent) {
  if (took.empty()) return 0;
  const auto at = took.begin() + static_cast<std::ptrdiff_t>((took.size() - 1) * percent / 100);
  std::nth_element(took.begin(), at, took.end());
  return std::chrono::duration<double, std::milli>(*at).count();
}

/// A row a second, until the load is over and nothing is left to do.
class Recorder {
 public:
  Recorder(asio::io_context& io, Hall& hall, const Load& load, std::FILE* rows)
      : timer_(io, Clock::now()), hall_(hall), load_(load), rows_(rows) {
    std::fputs("second,rate,came,done,waiting,workers,p50_ms,p95_ms\n", rows_);
    wait();
  }

 private:
  void wait() {
    timer_.expires_at(timer_.expiry() + 1s);
    timer_.async_wait([this](error_code) {
      write();
      const bool left = hall_.board.waiting() + hall_.board.in_hand() > 0;
      if (!load_.over() || left) return wait();
      static_cast<asio::io_context&>(timer_.get_executor().context()).stop();
    });
  }

  void write() {
    const Board& board = hall_.board;
    std::vector<Clock::duration> took = hall_.board.take_times();
    std::fprintf(rows_, "%d,%g,%llu,%llu,%zu,%zu,%.1f,%.1f\n", ++second_, load_.rate(),
                 static_cast<unsigned long long>(board.added() - came_),
                 static_cast<unsigned long long>(board.done() - done_), board.waiting(), hall_.workers,
                 milliseconds_at(took, 50), milliseconds_at(took, 95));
    std::fflush(rows_);
    came_ = board.added();
    done_ = board.done();
  }

  asio::steady_timer timer_;
  Hall& hall_;
  const Load& load_;
  std::FILE* rows_;
  int second_ = 0;
  std::uint64_t came_ = 0;
  std::uint64_t done_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const workers::Options options(argc, argv, {"--port", "--rows", "--seed", "--shape"});
  std::FILE* rows = std::fopen(options.text("--rows").c_str(), "w");
  if (rows == nullptr) workers::usage("cannot write " + options.text("--rows"));
  asio::io_context io(1);
  Hall hall;
  const Door door(io, static_cast<std::uint16_t>(options.count("--port")), hall);
  const Load load(io, hall, shape_of(options.text("--shape", "20:4,50:60,80:6")), options.count("--seed", 1));
  const Recorder recorder(io, hall, load, rows);
  io.run();
  std::printf("%llu jobs came in, %llu were done, %llu of them for the second time\n",
              static_cast<unsigned long long>(hall.board.added()), static_cast<unsigned long long>(hall.board.done()),
              static_cast<unsigned long long>(hall.board.returned()));
  const bool all = hall.board.done() == hall.board.added();
  std::fclose(rows);
  std::fflush(stdout);
  std::_Exit(all ? 0 : 1);
}
