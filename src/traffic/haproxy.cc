#include "traffic/haproxy.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
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

constexpr const char* kAllBackends = " -1 6 -1";

constexpr Duration kExchange = std::chrono::milliseconds(300);  // so long it may take a new HAProxy to be there
constexpr std::string_view kDenied = "Permission denied";
constexpr std::string_view kDisabled = "Proxy is disabled.";
constexpr int kMostRounds = 3;  // of writing what does not stay
constexpr Duration kTryAgain = std::chrono::milliseconds(20);

std::string said_by_errno(std::string_view what) { return fmt::format("{}: {}", what, std::strerror(errno)); }

long long count_ms(Duration span) { return std::chrono::duration_cast<std::chrono::milliseconds>(span).count(); }

std::unexpected<Error> denied(const HaproxyPlace& place) {
  return fail("HAProxy lets nobody change anything over " + place.socket + ": it needs `level admin`");
}

std::expected<sockaddr_un, Error> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return fail("the path of HAProxy's socket is too long: " + path);
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
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

  /// It may have been missed when this returns, and is there no more then.
  void send(const std::string& command) {
    const std::string line = command + "\n";
    if (::send(fd_.get(), line.data(), line.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(line.size())) {
      return owner_.missed(Trouble::exchanged, said_by_errno("HAProxy takes no commands"));
    }
    const auto added = owner_.loop_.add(fd_.get(), EPOLLIN, *this);
    watched_ = added.has_value();
    if (!added) owner_.missed(Trouble::lasting, added.error().text);
  }

  void ready(std::uint32_t) override {
    char buffer[16384];
    while (true) {
      const ssize_t got = ::recv(fd_.get(), buffer, sizeof buffer, 0);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0 && errno == EAGAIN) return;
      if (got < 0) return owner_.missed(Trouble::exchanged, said_by_errno("HAProxy's answer broke off"));
      // Even where it has nothing to say, it ends a line.
      if (got == 0 && answer_.empty())
        return owner_.missed(Trouble::exchanged, "HAProxy closed the connection without an answer");
      // So says of each of its backends one that has been replaced and is about to end.
      if (got == 0 && answer_.starts_with(kDisabled))
        return owner_.missed(Trouble::exchanged, "HAProxy says: " + std::string(kDisabled));
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

/// Weights that are being written, one server after the other, until nothing is left to be changed.
struct Haproxy::Writing {
  std::map<std::string, int> wanted;
  Done done;
  int rounds = 0;
  std::vector<Change> changes{};
  std::size_t at = 0;
  std::string keeps{};  // a command: gives its weight to one that is to have any

  void end(std::expected<void, Error> result) {
    if (!result && at > 0) result.error().text += fmt::format(" ({} of {} weights were written)", at, changes.size());
    done(std::move(result));
  }
};

Haproxy::Haproxy(os::Loop& loop, HaproxyPlace place, std::function<Instant()> now, Duration timeout)
    : loop_(loop),
      place_(std::move(place)),
      now_(std::move(now)),
      timeout_(timeout),
      turnstile_(Turnstile::before(place_.socket)) {}

Haproxy::~Haproxy() {
  running_.reset();
  turnstile_->leave(*this);
}

void Haproxy::ask(std::string text, Answered done) {
  waiting_.push_back({std::move(text), now_(), std::move(done)});
  if (waiting_.size() == 1) turnstile_->come(*this);
}

void Haproxy::enter() {
  const auto address = address_of(place_.socket);
  if (!address) return missed(Trouble::lasting, address.error().text);
  os::Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return missed(Trouble::lasting, said_by_errno("no socket for HAProxy"));
  const std::string name = "HAProxy's socket " + place_.socket;
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0) {
    if (errno == EAGAIN) {
      return missed(Trouble::crowded,
                    fmt::format("{} has had no room for another connection for {} ms", name, count_ms(timeout_)));
    }
    return missed(errno == ECONNREFUSED || errno == ENOENT ? Trouble::exchanged : Trouble::lasting,
                  said_by_errno(name));
  }
  running_ = std::make_unique<Exchange>(*this, std::move(fd));
  running_->send(waiting_.front().text);
}

/// It is tried again: what a command asks for is a state, not a change, so that it may be carried out twice.
void Haproxy::missed(Trouble trouble, std::string text) {
  const auto finished = std::move(running_);  // it may be the caller: it stays until we return
  if (trouble == Trouble::exchanged) was_exchanged_ = true;
  const bool still = missed_ && missed_->trouble == trouble;
  missed_ = Miss{trouble, std::move(text), still ? missed_->since : now_()};
  again_at_ = later(now_(), kTryAgain);
  if (trouble != Trouble::crowded) turnstile_->leave(*this);  // else the next one would find no room either
}

void Haproxy::end(Answer answer) {
  const auto finished = std::move(running_);  // it may be the caller: it stays until we return
  missed_.reset();
  again_at_ = kNever;
  turnstile_->leave(*this);
  Answered done = std::move(waiting_.front().done);
  waiting_.pop_front();
  if (!waiting_.empty()) turnstile_->come(*this);
  done(std::move(answer));
}

Instant Haproxy::ends() const {
  const Instant late = later(waiting_.front().asked, timeout_);
  if (!missed_ || running_ || missed_->trouble == Trouble::crowded) return late;
  return missed_->trouble == Trouble::lasting ? missed_->since : std::min(late, later(missed_->since, kExchange));
}

std::optional<Instant> Haproxy::next_deadline() const {
  return waiting_.empty() ? std::nullopt : std::optional(std::min(ends(), again_at_));
}

void Haproxy::advance(Instant now) {
  if (waiting_.empty()) return;
  if (now >= ends()) {
    if (missed_ && !running_) return end(fail(missed_->text));
    return end(
        fail(fmt::format("HAProxy did not answer `{}` within {} ms", waiting_.front().text, count_ms(timeout_))));
  }
  if (now < again_at_) return;
  again_at_ = kNever;
  if (missed_->trouble == Trouble::crowded) return enter();
  turnstile_->come(*this);
}

/// `command`, the backend, and what comes `after` it.
void Haproxy::ask_backend(std::string_view command, std::string_view after, Answered done) {
  if (is_plain_name(place_.backend))
    return ask(fmt::format("{} {}{}", command, place_.backend, after), std::move(done));
  ask("show info", [this, done = std::move(done)](const Answer&) mutable {
    done(fail(fmt::format("`{}` is no name of a backend", place_.backend)));
  });
}

// A frontend of the same name is taken for the backend; then the lines of all backends tell.
void Haproxy::ask_stat(Answered done) {
  ask_backend(kStat, kBackendAndServers, [this, done = std::move(done)](Answer answer) mutable {
    const bool only_columns =
        answer && answer->starts_with('#') && answer->find_first_not_of('\n', answer->find('\n')) == std::string::npos;
    if (!only_columns) return done(std::move(answer));
    ask(std::string(kStat) + kAllBackends, std::move(done));
  });
}

void Haproxy::look(Seen done) {
  ask_stat([this, done = std::move(done)](const Answer& answer) mutable {
    if (!answer) return done(std::unexpected(answer.error()));
    done(read_stat(*answer, place_.backend));
  });
}

void Haproxy::look(std::vector<std::string> columns, Told done) {
  ask_stat([this, columns = std::move(columns), done = std::move(done)](const Answer& answer) mutable {
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

void Haproxy::read_level(Answered done) {
  ask("show cli level", [done = std::move(done)](Answer answer) mutable {
    if (answer) answer->erase(std::min(answer->find('\n'), answer->size()));
    done(std::move(answer));
  });
}

void Haproxy::set_weights(std::map<std::string, int> weights, Done done) {
  auto writing = std::make_shared<Writing>(std::move(weights), std::move(done));
  compare(std::move(writing));
}

void Haproxy::compare(std::shared_ptr<Writing> writing) {
  read_back([this, writing = std::move(writing)](const auto& seen) mutable {
    writing->at = 0;
    writing->changes.clear();
    writing->keeps.clear();
    if (!seen) return writing->end(std::unexpected(seen.error()));
    bool keeper_up = false;
    for (const auto& [name, weight] : writing->wanted) {
      const auto server = std::ranges::find(*seen, name, &ServerSetting::server);
      if (server == seen->end()) {
        return writing->end(fail(fmt::format("HAProxy's backend `{}` has no server `{}`", place_.backend, name)));
      }
      writing->changes.push_back({name, server->weight, weight});
      if (weight == 0 || keeper_up || (!writing->keeps.empty() && !server->up)) continue;
      keeper_up = server->up;
      writing->keeps = fmt::format("set server {}/{} weight {}; ", place_.backend, name, weight);
    }
    writing->changes = in_safe_order(writing->changes);
    if (writing->changes.empty()) return writing->end({});
    if (writing->rounds++ == kMostRounds) {
      const Change& change = writing->changes.front();
      return writing->end(fail(fmt::format("HAProxy does not keep the weights it is told: {}/{} has {}, {} was wanted",
                                           place_.backend, change.server, change.from, change.to)));
    }
    write_next(std::move(writing));
  });
}

void Haproxy::write_next(std::shared_ptr<Writing> writing) {
  if (writing->at == writing->changes.size()) return compare(std::move(writing));
  const Change& change = writing->changes[writing->at];
  const std::string server = place_.backend + "/" + change.server;
  if (!is_plain_name(change.server) || !is_plain_name(place_.backend) || change.to < 0 || change.to > kMostWeight) {
    return writing->end(
        fail(fmt::format("`{}` with weight {} is nothing that HAProxy could be told", server, change.to)));
  }
  // One line is carried out by one HAProxy. The one that raised the others may have been another one.
  const std::string& before = change.to < change.from ? writing->keeps : std::string();
  // What HAProxy says to a change is for people; that it was made is seen by reading it back.
  ask(fmt::format("{}set server {} weight {}; get weight {}", before, server, change.to, server),
      [this, writing, server](const Answer& answer) {
        if (!answer) return writing->end(std::unexpected(answer.error()));
        const std::size_t last = answer->find_first_not_of('\n');
        const auto weight =
            read_weight(last == std::string::npos ? std::string_view() : std::string_view(*answer).substr(last));
        if (answer->contains(kDenied)) return writing->end(denied(place_));
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
  write_drain({server, drain, std::move(done)});
}

void Haproxy::write_drain(Draining draining) {
  ask(fmt::format("set server {}/{} state {}", place_.backend, draining.server, draining.drain ? "drain" : "ready"),
      [this, draining = std::move(draining)](const Answer& answer) mutable {
        if (!answer) return draining.done(std::unexpected(answer.error()));
        if (answer->contains(kDenied)) return draining.done(denied(place_));
        if (answer->find_first_not_of("\n ") != std::string::npos) {
          return draining.done(fail(fmt::format("HAProxy: {}", answer->substr(0, answer->find('\n')))));
        }
        read_back([this, draining = std::move(draining)](const auto& seen) mutable {
          if (!seen) return draining.done(std::unexpected(seen.error()));
          const auto own = std::ranges::find(*seen, draining.server, &ServerSetting::server);
          const bool so = own != seen->end() && own->drained == draining.drain && (draining.drain || !own->maintained);
          if (so) return draining.done({});
          was_exchanged_ = true;
          if (++draining.rounds < kMostRounds) return write_drain(std::move(draining));
          draining.done(fail(
              fmt::format("HAProxy did not bring {} into {}", draining.server, draining.drain ? "drain" : "rotation")));
        });
      });
}

}  // namespace homeostat::traffic
