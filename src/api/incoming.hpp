// One request as its bytes come in: bounded, and refused before anybody answers it when it is not for us.
#pragma once

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/system/error_code.hpp>
#include <optional>

#include "api/request.hpp"

namespace homeostat::api {

class Incoming {
 public:
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

  Incoming();

  /// For Beast to read into: the header first, then the rest.
  Parser& parser() { return parser_; }
  /// After the header: the refusal of a request whose body need not be read.
  std::optional<Response> refuse_head() const;
  /// After the body; once.
  std::expected<Request, Response> take();
  /// The header's value; empty: there is none.
  std::string authorization() const;
  bool keep_alive() const { return parser_.get().keep_alive(); }

 private:
  Parser parser_;
};

/// What holds any request that is not refused.
boost::beast::flat_buffer incoming_buffer();

/// What to answer when reading failed; nothing when nobody is there to be answered.
std::optional<Response> refuse_unread(boost::system::error_code error);

}  // namespace homeostat::api
