#include "traffic/haproxy.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

namespace homeostat::traffic {
namespace {

// `show stat` of a thousand servers takes some 300 kB.
constexpr std::size_t kMostAnswer = 16U << 20U;
constexpr std::string_view kStat = "show stat";
constexpr std::string_view kBackendAndServers = " 6 -1";  // the sum of HAProxy's numbers for these kinds of lines

std::expected<os::Fd, Error> connect_to(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return fail("the path of HAProxy's socket is too long: " + path);
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  os::Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return fail(fmt::format("no socket for HAProxy: {}", std::strerror(errno)));
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return fail(fmt::format("HAProxy's socket {}: {}", path, std::strerror(errno)));
  }
  return fd;
}

}  // namespace

/// One command and its answer, which HAProxy ends by closing the connection.
class Haproxy::Exchange : public os::Watcher {
 public:
  Exchange(Haproxy& owner, os::Fd fd) : owner_(owner), fd_(std::move(fd)) {}
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  ~Exchange() override {
    if (watched_) owner_.loop_.remove(fd_.get(), *this);
  }

  std::expected<void, Error> send(const std::string& command) {
    const std::string line = command + "\n";
    const ssize_t sent = ::send(fd_.get(), line.data(), line.size(), MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(line.size()))
      return fail(fmt::format("HAProxy takes no commands: {}", std::strerror(errno)));
    auto added = owner_.loop_.add(fd_.get(), EPOLLIN, *this);
    watched_ = added.has_value();
    return added;
  }

  void ready(std::uint32_t) override {
    char buffer[16384];
    while (true) {
      const ssize_t got = ::recv(fd_.get(), buffer, sizeof buffer, 0);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0 && errno == EAGAIN) return;
      if (got < 0) return owner_.end(fail(fmt::format("HAProxy's answer broke off: {}", std::strerror(errno))));
      if (got == 0) return owner_.end(std::move(answer_));
      answer_.append(buffer, static_cast<std::size_t>(got));
      if (answer_.size() > kMostAnswer) return owner_.end(fail("HAProxy's answer is longer than 16 MiB"));
    }
  }

 private:
  Haproxy& owner_;
  os::Fd fd_;
  bool watched_ = false;
  std::string answer_;
};

/// Weights that are being written, one server after the other.
struct Haproxy::Writing {
  std::vector<Change> changes;
  std::size_t at = 0;
  Done done;

  void end(std::expected<void, Error> result) {
    if (!result && at > 0) result.error().text += fmt::format(" ({} of {} weights were written)", at, changes.size());
    done(std::move(result));
  }
};

Haproxy::Haproxy(os::Loop& loop, HaproxyPlace place, std::function<Instant()> now, Duration timeout)
    : loop_(loop), place_(std::move(place)), now_(std::move(now)), timeout_(timeout) {}

Haproxy::~Haproxy() = default;

void Haproxy::ask(std::string text, Answered done) {
  waiting_.push_back({std::move(text), std::move(done)});
  if (waiting_.size() == 1) begin();
}

void Haproxy::begin() {
  deadline_ = later(now_(), timeout_);
  auto fd = connect_to(place_.socket);
  if (fd) {
    running_ = std::make_unique<Exchange>(*this, std::move(*fd));
    const auto sent = running_->send(waiting_.front().text);
    if (sent) return;
    running_.reset();
    failed_ = std::unexpected(sent.error());
  } else {
    failed_ = std::unexpected(fd.error());
  }
  deadline_ = now_();
}

void Haproxy::end(Answer answer) {
  const auto finished = std::move(running_);  // it may be the caller: it stays until we return
  failed_.reset();
  deadline_ = kNever;
  Answered done = std::move(waiting_.front().done);
  waiting_.pop_front();
  if (!waiting_.empty()) begin();
  done(std::move(answer));
}

std::optional<Instant> Haproxy::next_deadline() const {
  return deadline_ == kNever ? std::nullopt : std::optional(deadline_);
}

void Haproxy::advance(Instant now) {
  if (now < deadline_ || waiting_.empty()) return;
  if (failed_) return end(std::move(*failed_));
  const auto span = std::chrono::duration_cast<std::chrono::milliseconds>(timeout_);
  end(fail(fmt::format("HAProxy did not answer `{}` within {} ms", waiting_.front().text, span.count())));
}

/// `command`, the backend, and what comes `after` it.
void Haproxy::ask_backend(std::string_view command, std::string_view after, Answered done) {
  if (is_plain_name(place_.backend))
    return ask(fmt::format("{} {}{}", command, place_.backend, after), std::move(done));
  ask("show info", [this, done = std::move(done)](const Answer&) mutable {
    done(fail(fmt::format("`{}` is no name of a backend", place_.backend)));
  });
}

void Haproxy::look(Seen done) {
  ask_backend(kStat, kBackendAndServers, [this, done = std::move(done)](const Answer& answer) mutable {
    if (!answer) return done(std::unexpected(answer.error()));
    done(read_stat(*answer, place_.backend));
  });
}

void Haproxy::look(std::vector<std::string> columns, Told done) {
  ask_backend(kStat, kBackendAndServers,
              [this, columns = std::move(columns), done = std::move(done)](const Answer& answer) mutable {
                if (!answer) return done(std::unexpected(answer.error()));
                done(read_columns(*answer, place_.backend, columns));
              });
}

void Haproxy::read_back(Set done) {
  ask_backend("show servers state", "", [this, done = std::move(done)](const Answer& answer) mutable {
    if (!answer) return done(std::unexpected(answer.error()));
    done(read_settings(*answer, place_.backend));
  });
}

void Haproxy::set_weights(std::map<std::string, int> weights, Done done) {
  read_back([this, weights = std::move(weights), done = std::move(done)](auto seen) mutable {
    if (!seen) return done(std::unexpected(seen.error()));
    auto writing = std::make_shared<Writing>();
    for (const ServerSetting& server : *seen) {
      const auto wanted = weights.find(server.server);
      if (wanted == weights.end()) continue;
      writing->changes.push_back({server.server, server.weight, wanted->second});
      weights.erase(wanted);
    }
    if (!weights.empty()) {
      return done(
          fail(fmt::format("HAProxy's backend `{}` has no server `{}`", place_.backend, weights.begin()->first)));
    }
    writing->changes = in_safe_order(writing->changes);
    writing->done = std::move(done);
    write_next(std::move(writing));
  });
}

void Haproxy::write_next(std::shared_ptr<Writing> writing) {
  if (writing->at == writing->changes.size()) return writing->end({});
  const Change& change = writing->changes[writing->at];
  const std::string server = place_.backend + "/" + change.server;
  if (!is_plain_name(change.server) || !is_plain_name(place_.backend) || change.to < 0 || change.to > kMostWeight) {
    return writing->end(
        fail(fmt::format("`{}` with weight {} is nothing that HAProxy could be told", server, change.to)));
  }
  // What HAProxy says to a change is for people; that it was made is seen by reading it back.
  ask(fmt::format("set server {} weight {}; get weight {}", server, change.to, server),
      [this, writing, server](const Answer& answer) {
        if (!answer) return writing->end(std::unexpected(answer.error()));
        const std::size_t last = answer->find_first_not_of('\n');
        const auto weight =
            read_weight(last == std::string::npos ? std::string_view() : std::string_view(*answer).substr(last));
        if (!weight) return writing->end(std::unexpected(weight.error()));
        if (*weight != writing->changes[writing->at].to) {
          return writing->end(fail(fmt::format("HAProxy keeps weight {} of {}, {} was wanted", *weight, server,
                                               writing->changes[writing->at].to)));
        }
        ++writing->at;
        write_next(writing);
      });
}

void Haproxy::set_drain(const std::string& server, bool drain, Done done) {
  if (!is_plain_name(server) || !is_plain_name(place_.backend)) {
    return set_weights({{server, 0}}, std::move(done));  // says what is wrong with the name
  }
  ask(fmt::format("set server {}/{} state {}", place_.backend, server, drain ? "drain" : "ready"),
      [this, server, drain, done = std::move(done)](const Answer& answer) mutable {
        if (!answer) return done(std::unexpected(answer.error()));
        if (answer->find_first_not_of("\n ") != std::string::npos) {
          return done(fail(fmt::format("HAProxy: {}", answer->substr(0, answer->find('\n')))));
        }
        read_back([server, drain, done = std::move(done)](auto seen) mutable {
          if (!seen) return done(std::unexpected(seen.error()));
          for (const ServerSetting& one : *seen) {
            if (one.server == server && one.drained == drain && (drain || !one.maintained)) return done({});
          }
          done(fail(fmt::format("HAProxy did not bring {} into {}", server, drain ? "drain" : "rotation")));
        });
      });
}

}  // namespace homeostat::traffic
