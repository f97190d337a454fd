#include "runtime/http_ask.hpp"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>
#include <vector>

#include "os/fd.hpp"

namespace homeostat::runtime {
namespace {

constexpr std::size_t kMostAnswer = (1 << 20) + (64 << 10);
constexpr std::size_t kMostLine = 64 << 10;
constexpr std::string_view kUnix = "unix:";

union Address {
  sockaddr any;
  sockaddr_un local;
  sockaddr_in v4;
  sockaddr_in6 v6;
};

/// Its length; 0: that is no address.
socklen_t address_of(std::string_view peer, Address& out) {
  out = {};
  if (peer.starts_with(kUnix)) {
    peer.remove_prefix(kUnix.size());
    if (peer.empty() || peer.size() >= sizeof out.local.sun_path) return 0;
    out.local.sun_family = AF_UNIX;
    peer.copy(out.local.sun_path, peer.size());
    return sizeof out.local;
  }
  const auto colon = peer.rfind(':');
  if (colon == std::string_view::npos) return 0;
  std::uint16_t port = 0;
  const std::string_view digits = peer.substr(colon + 1);
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (read.ec != std::errc() || read.ptr != digits.data() + digits.size()) return 0;
  std::string host(peer.substr(0, colon));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (inet_pton(AF_INET, host.c_str(), &out.v4.sin_addr) == 1) {
    out.v4.sin_family = AF_INET;
    out.v4.sin_port = htons(port);
    return sizeof out.v4;
  }
  if (inet_pton(AF_INET6, host.c_str(), &out.v6.sin6_addr) != 1) return 0;
  out.v6.sin6_family = AF_INET6;
  out.v6.sin6_port = htons(port);
  return sizeof out.v6;
}

std::string bytes_of(const HttpQuestion& question) {
  std::string out =
      fmt::format("{} {} HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n", question.method, question.path);
  if (!question.authorization.empty()) out += fmt::format("Authorization: {}\r\n", question.authorization);
  if (!question.type.empty()) out += fmt::format("Content-Type: {}\r\n", question.type);
  if (question.method != "GET") out += fmt::format("Content-Length: {}\r\n", question.body.size());
  return out + "\r\n" + question.body;
}

/// The value of a header; its name in lower case.
std::string_view header(std::string_view head, std::string_view name) {
  while (!head.empty()) {
    const std::string_view line = head.substr(0, head.find("\r\n"));
    head.remove_prefix(std::min(head.size(), line.size() + 2));
    const auto colon = line.find(':');
    const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
    if (colon == std::string_view::npos || !std::ranges::equal(line.substr(0, colon), name, same)) continue;
    const auto begin = line.find_first_not_of(' ', colon + 1);
    return begin == std::string_view::npos ? std::string_view() : line.substr(begin);
  }
  return {};
}

/// All that came until the server closed.
HttpReply reply_of(std::string_view answer) {
  HttpReply reply{.heard = true};
  const auto head_end = answer.find("\r\n\r\n");
  int status = 0;
  if (answer.size() > 12 && answer.starts_with("HTTP/1.")) std::from_chars(&answer[9], &answer[9] + 3, status);
  if (head_end == std::string_view::npos || status < 100) {
    reply.error = answer.empty() ? "closed without an answer" : "the answer is not HTTP";
    return reply;
  }
  const std::string_view body = answer.substr(head_end + 4);
  const std::string_view length = header(answer.substr(0, head_end), "content-length");
  std::size_t wanted = body.size();
  if (!length.empty()) std::from_chars(length.data(), length.data() + length.size(), wanted);
  if (body.size() < wanted) {
    reply.error = "closed in the middle of the answer";
    return reply;
  }
  reply.status = status;
  reply.body = body.substr(0, wanted);
  return reply;
}

}  // namespace

class HttpAsker::Asking final : public os::Watcher {
 public:
  Asking(os::Loop& loop, const HttpQuestion& question, Instant ends, Line line, Done done)
      : loop_(loop), ends_(ends), out_(bytes_of(question)), line_(std::move(line)), done_(std::move(done)) {
    connect(question.peer);
  }
  ~Asking() override { close(); }
  Asking(const Asking&) = delete;
  Asking& operator=(const Asking&) = delete;

  void ready(std::uint32_t) override {
    if (reply_) return;
    if (!out_.empty()) send();
    if (!reply_ && out_.empty()) receive();
  }
  void time_out() { end({.error = "no answer in time", .heard = heard_}); }
  bool ended() const { return reply_.has_value(); }
  Instant due() const { return reply_ || !lines_.empty() ? Instant{} : ends_; }
  void tell() {
    if (done_) done_(std::move(*reply_));
  }
  std::vector<std::string> take_lines() { return std::exchange(lines_, {}); }
  void tell_line(const std::string& line) { line_(line); }
  bool dropped() const { return done_ == nullptr; }
  void drop() {
    done_ = nullptr;
    end({});
  }

 private:
  HttpReply failed() const { return {.error = std::strerror(errno), .heard = heard_}; }

  void connect(const std::string& peer) {
    Address address;
    const socklen_t length = address_of(peer, address);
    if (length == 0) return end({.error = "no such address"});
    fd_ = os::Fd(::socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd_ || (::connect(fd_.get(), &address.any, length) != 0 && errno != EINPROGRESS)) return end(failed());
    if (auto added = loop_.add(fd_.get(), EPOLLOUT, *this); !added) return end({.error = added.error().text});
    watched_ = true;
  }

  void send() {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) {
      errno = error;
      return end(failed());
    }
    const ssize_t sent = ::send(fd_.get(), out_.data(), out_.size(), MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN || errno == EINTR ? void() : end(failed());
    heard_ = true;
    out_.erase(0, static_cast<std::size_t>(sent));
    if (out_.empty()) loop_.modify(fd_.get(), EPOLLIN, *this);
  }

  void receive() {
    std::array<char, 16 << 10> room{};
    const ssize_t got = ::recv(fd_.get(), room.data(), room.size(), 0);
    if (got < 0) return errno == EAGAIN || errno == EINTR ? void() : end(failed());
    if (got == 0) return end(open_ ? HttpReply{.error = "closed", .heard = true} : reply_of(in_));
    in_.append(room.data(), static_cast<std::size_t>(got));
    if (line_) return split();
    if (in_.size() > kMostAnswer) end({.error = "the answer is longer than 1 MiB", .heard = true});
  }

  void split() {
    const auto head_end = in_.find("\r\n\r\n");
    if (!open_ && head_end != std::string::npos) {
      const HttpReply head = reply_of(in_);
      if (head.status != 200) return;  // the rest of the answer says why
      open_ = true;
      in_.erase(0, head_end + 4);
    }
    while (open_) {
      const auto length = in_.find('\n');
      if (length == std::string::npos) break;
      lines_.push_back(in_.substr(0, length));
      in_.erase(0, length + 1);
    }
    if (in_.size() > kMostLine) end({.error = "a line is longer than 64 KiB", .heard = true});
  }

  void end(HttpReply reply) {
    reply_ = std::move(reply);
    close();
  }
  void close() {
    if (std::exchange(watched_, false)) loop_.remove(fd_.get(), *this);
    fd_ = os::Fd();
  }

  os::Loop& loop_;
  Instant ends_;
  os::Fd fd_;
  bool watched_ = false;
  bool heard_ = false;
  std::string out_;
  std::string in_;
  bool open_ = false;  // what comes are lines
  std::vector<std::string> lines_{};
  Line line_;  // null: the answer is wanted as a whole
  Done done_;
  std::optional<HttpReply> reply_{};
};

HttpAsker::HttpAsker(os::Loop& loop) : loop_(loop) {}

HttpAsker::~HttpAsker() = default;

void HttpAsker::ask(HttpQuestion question, Instant now, Done done) {
  const Instant ends = later(now, question.timeout);
  asking_.emplace(++made_, std::make_unique<Asking>(loop_, question, ends, nullptr, std::move(done)));
}

std::uint64_t HttpAsker::follow(HttpQuestion question, Line line, Done done) {
  asking_.emplace(++made_, std::make_unique<Asking>(loop_, question, kNever, std::move(line), std::move(done)));
  return made_;
}

void HttpAsker::drop(std::uint64_t followed) {
  if (const auto found = asking_.find(followed); found != asking_.end()) found->second->drop();
}

std::optional<Instant> HttpAsker::next_deadline() const {
  std::optional<Instant> next;
  for (const auto& [id, asking] : asking_) next = std::min(next.value_or(kNever), asking->due());
  return next;
}

// Whoever is told may drop it.
void HttpAsker::tell_lines() {
  std::vector<std::pair<Asking*, std::vector<std::string>>> all;
  for (auto& [id, asking] : asking_) {
    if (auto lines = asking->take_lines(); !lines.empty()) all.emplace_back(asking.get(), std::move(lines));
  }
  for (auto& [asking, lines] : all) {
    for (const std::string& line : lines) {
      if (!asking->dropped()) asking->tell_line(line);
    }
  }
}

// Whoever is told may ask again at once, so what has ended is taken out first.
void HttpAsker::advance(Instant now) {
  tell_lines();
  std::vector<std::unique_ptr<Asking>> ended;
  for (auto& [id, asking] : asking_) {
    if (!asking->ended() && now >= asking->due()) asking->time_out();
    if (asking->ended()) ended.push_back(std::move(asking));
  }
  std::erase_if(asking_, [](const auto& item) { return item.second == nullptr; });
  for (const auto& asking : ended) asking->tell();
}

}  // namespace homeostat::runtime
