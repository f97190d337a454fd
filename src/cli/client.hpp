// Calls the daemon's local API, or reads the journal when no daemon runs.
#pragma once

#include <expected>
#include <string>

#include "api/json.hpp"
#include "cli/context.hpp"
#include "core/error.hpp"

namespace homeostat::cli {

namespace json = boost::json;

/// Why there is no answer.
struct Failure {
  int code = kUnreachable;  // an exit code
  std::string text;
  bool nobody = false;  // no daemon listens: the journal may be read instead
};
using Answer = std::expected<json::object, Failure>;

Answer get(const Context& context, const std::string& target);
Answer post(const Context& context, const std::string& target, const json::object& body);

/// `text` as a part of a query or a path.
std::string escape(const std::string& text);

/// A view of how things stand or were, from the daemon or else (saying so on standard error) from the journal.
Answer status(const Context& context, const std::string& service);
Answer why(const Context& context, const std::string& service);
Answer history(const Context& context, const std::string& query);
Answer stats(const Context& context, const std::string& window, const std::string& service);
/// The journal's lines after record number `after`, as words.
Answer lines(const Context& context, std::uint64_t after, const std::string& service);

/// Prints what went wrong and returns its exit code.
int complain(const Failure& failure);

}  // namespace homeostat::cli
