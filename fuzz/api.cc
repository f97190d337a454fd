// Bytes on the local API's socket: read as the server reads them, answered as the daemon answers them. In pieces of any
// size they mean the same; an operator's command comes only out of a whole, well-formed POST.
#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/beast/http/read.hpp>
#include <string>
#include <vector>

#include "api/answer.hpp"
#include "api/incoming.hpp"
#include "api/json.hpp"
#include "api/testing.hpp"
#include "kit.hpp"

namespace homeostat::fuzz {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

/// The input as a stream that gives a piece at a time.
class Pieces {
 public:
  Pieces(std::string_view input, std::size_t most) : left_(input), chance_(input), most_(most) {}

  template <class Buffers>
  std::size_t read_some(const Buffers& into, error_code& error) {
    if (left_.empty()) {
      error = asio::error::eof;
      return 0;
    }
    error = {};
    const std::size_t size = std::min<std::size_t>(left_.size(), 1 + chance_.below(most_));
    const std::size_t taken = asio::buffer_copy(into, asio::buffer(left_.data(), size));
    left_.remove_prefix(taken);
    return taken;
  }
  template <class Buffers>
  std::size_t read_some(const Buffers& into) {
    error_code error;
    return read_some(into, error);
  }
  std::size_t left() const { return left_.size(); }

 private:
  std::string_view left_;
  Chance chance_;
  std::size_t most_;
};

struct Asked {
  std::vector<engine::Operator> commands;
  std::vector<api::ReloadAsked> reloads;
};

const engine::Engine& small_engine() {
  static const api::World world;
  return world.engine;
}

api::Response ask(const api::Request& request, Asked& asked) {
  if (api::reads_journal(request)) return api::answer_from_journal("/nowhere", request);
  static const config::Config config;
  const api::Daemon daemon{.engine = small_engine(),
                           .config = config,
                           .clock = {},
                           .feed = [&](engine::Operator wanted) { asked.commands.push_back(std::move(wanted)); },
                           .reload = [&](const api::ReloadAsked& reload) -> std::expected<std::string, Error> {
                             asked.reloads.push_back(reload);
                             return {};
                           }};
  return api::answer(daemon, request);
}

/// `text` is the request as it was sent. Anything that gets this far may be acted on.
void judge(const Asked& asked, std::string_view text) {
  if (asked.commands.empty() && asked.reloads.empty()) return;
  require(text.starts_with("POST /v1/"), "a command is a POST");
  std::string low(text.substr(0, text.find("\r\n\r\n")));
  std::ranges::transform(low, low.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  require(low.find("\r\ncontent-type:") != std::string::npos && low.find("application/json") != std::string::npos,
          "a command is sent as JSON");
  for (const engine::Operator& command : asked.commands) {
    require(command.by == "somebody", "a command is its sender's");
    const auto service = small_engine().find_service(command.service);
    require(command.service.empty() || service.has_value(), "a command is for a service that is there");
    require(!service || command.slot < static_cast<int>(small_engine().plan().services[*service].instances),
            "a command is for an instance that is there");
    require(command.verb != engine::Verb::deploy || api::is_version(command.version), "a release's name is plain");
    require(command.length >= Duration{}, "a pause ends after it began");
    require(command.verb != engine::Verb::shutdown, "nobody shuts Homeostat down from here");
  }
}

/// Everything that was answered to whole requests, in order. (How early Beast sees that something is no HTTP does
/// depend on the pieces.)
std::string serve(std::string_view input, std::size_t most) {
  Pieces stream(input, most);
  auto buffer = api::incoming_buffer();
  std::string answers;
  const auto respond = [&](const api::Response& response) {
    require(response.status == 200 || (response.status >= 400 && response.status <= 503), "a status that is known");
    const auto object = api::parse_object(response.json);
    require(object.has_value(), "every answer is JSON");
    require(response.status == 200 || object->contains("error"), "a refusal says why");
    return std::to_string(response.status) + " " + response.json + "\n";
  };
  while (true) {
    const std::size_t begin = input.size() - stream.left() - buffer.size();
    api::Incoming incoming;
    error_code error;
    http::read_header(stream, buffer, incoming.parser(), error);
    const auto unwanted = error ? api::refuse_unread(error) : incoming.refuse_head();
    if (!error && !unwanted) http::read(stream, buffer, incoming.parser(), error);
    const auto refusal = unwanted ? unwanted : error ? api::refuse_unread(error) : std::nullopt;
    if (refusal) respond(*refusal);
    if (refusal || error) return answers;
    auto request = incoming.take();
    const bool keep = incoming.keep_alive();
    Asked asked;
    if (request) {
      request->user = "somebody";
      answers += respond(ask(*request, asked));
    } else {
      answers += respond(request.error());
    }
    const std::size_t end = input.size() - stream.left() - buffer.size();
    judge(asked, input.substr(begin, end - begin));
    if (!keep) return answers;
  }
}

}  // namespace

void run(std::string_view input) {
  const std::string whole = serve(input, input.size());
  const std::string pieces = serve(input, 1 + input.size() % 17);
  require(whole == pieces, "in pieces it means what it means whole");
}

}  // namespace homeostat::fuzz
