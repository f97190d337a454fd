// libcurl, loaded when it is needed: linked, it would lie in the memory of every daemon.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "notify/sender.hpp"

namespace homeostat::notify {

struct HttpAnswer {
  long status = 0;
  std::string body;  // its head
};

/// Posts `body`; waits for the answer. A redirection is not followed.
std::expected<HttpAnswer, Error> post(const Webhook& hook, const std::string& body, const std::string& key,
                                      Duration timeout);
/// Gives `message` to the mail server; waits until it has taken it. Whom it did not take it for, and why.
std::expected<std::vector<std::string>, Error> submit(const Email& mail, const std::string& message, Duration timeout);

}  // namespace homeostat::notify
