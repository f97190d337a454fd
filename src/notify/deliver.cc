#include "notify/deliver.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "core/text.hpp"
#include "notify/curl.hpp"
#include "notify/message.hpp"

namespace homeostat::notify {
namespace {

using Sent = std::expected<std::string, Error>;

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

std::string date_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  std::array<char, 64> text{};
  std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S +0000", &parts);
  return text.data();
}

Sent send(const Webhook& hook, const Page& page, Duration timeout) {
  const std::string body = hook.dialect == Dialect::slack ? slack_body(page) : webhook_body(page);
  const auto answer = post(hook, body, page.key, timeout);
  if (!answer) return std::unexpected(answer.error());
  const std::string said = fmt::format("it answered {}", answer->status);
  if (answer->status >= 200 && answer->status < 300) return said;
  return fail(answer->body.empty() ? said : said + ": " + printable(answer->body, 100));
}

Sent send(const Email& mail_to, const Page& page, Duration timeout) {
  const auto taken = submit(mail_to, mail(page, mail_to, date_now()), timeout);
  if (!taken) return std::unexpected(taken.error());
  const std::string said = "the mail server has taken it";
  return taken->empty() ? said : fmt::format("{}, but not for {}", said, fmt::join(*taken, ", "));
}

}  // namespace

std::vector<std::string> deliverer() { return {"/proc/self/exe", kVerb}; }

int deliver() {
  const auto sender = read_sender(variable(kSenderVariable));
  const Page page = page_of(variable, host_name());
  const Sent sent = sender ? std::visit([&](const auto& to) { return send(to, page, sender->timeout); }, sender->to)
                           : Sent(std::unexpected(sender.error()));
  std::printf("%s\n", sent ? sent->c_str() : sent.error().text.c_str());
  return sent ? 0 : 1;
}

}  // namespace homeostat::notify
