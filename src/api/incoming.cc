#include "api/incoming.hpp"

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>

namespace homeostat::api {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;

constexpr std::uint32_t kHeaderBytes = 64 << 10;
constexpr std::uint32_t kBodyBytes = 1 << 20;

bool is_json(beast::string_view content_type) {
  const beast::string_view type = content_type.substr(0, content_type.find(';'));
  return beast::iequals(type.substr(0, type.find(' ')), "application/json");
}

}  // namespace

Incoming::Incoming() {
  parser_.header_limit(kHeaderBytes);
  parser_.body_limit(kBodyBytes);
}

std::optional<Response> Incoming::refuse_head() const {
  const auto& head = parser_.get();
  const bool post = head.method() == http::verb::post;
  if (!post && head.method() != http::verb::get) return refuse(405, "only GET and POST are known");
  if (post && !is_json(head[http::field::content_type])) {
    return refuse(415, "a POST needs `Content-Type: application/json`");
  }
  return std::nullopt;
}

std::string Incoming::authorization() const { return parser_.get()[http::field::authorization]; }

std::expected<Request, Response> Incoming::take() {
  auto& message = parser_.get();
  return parse_request(message.method() == http::verb::post, {message.target().data(), message.target().size()},
                       std::move(message.body()));
}

beast::flat_buffer incoming_buffer() { return beast::flat_buffer(kHeaderBytes + kBodyBytes); }

std::optional<Response> refuse_unread(error_code error) {
  if (error == http::error::header_limit) return refuse(431, "the header is longer than 64 KiB");
  if (error == http::error::body_limit || error == http::error::buffer_overflow) {
    return refuse(413, "the body is longer than 1 MiB");
  }
  const bool spoken = error.category() == error_code(http::error::bad_method).category() &&
                      error != http::error::end_of_stream && error != http::error::partial_message;
  if (spoken) return refuse(400, "this is not HTTP/1.1: " + error.message());
  return std::nullopt;
}

}  // namespace homeostat::api
