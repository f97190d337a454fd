// A page in the words of each receiver. Summaries hold what services said: whatever they say stays text.
#pragma once

#include <string>

#include "notify/page.hpp"
#include "notify/sender.hpp"

namespace homeostat::notify {

/// "web: restarted three times, still failing"; one line, at most 200 bytes.
std::string headline(const Page& page);

/// {"version":1,"key":…,"service":…,"summary":…,"incident":12,"attempt":1,"host":…}
std::string webhook_body(const Page& page);
/// {"text":…} with &, < and > escaped as Slack asks, so that no text becomes a mention or a link.
std::string slack_body(const Page& page);
/// A message as RFC 5322 describes it, lines ended by CRLF; `date` as its header has it. The Message-ID is made of the
/// deduplication key: mail programs show a repetition once.
std::string mail(const Page& page, const Email& to, const std::string& date);

}  // namespace homeostat::notify
