// What each receiver gets: whatever a service has said stays text.
#include "notify/message.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <boost/json.hpp>
#include <regex>

namespace homeostat::notify {
namespace {

namespace json = boost::json;

Page page() {
  Page page{.service = "web",
            .summary = "restarted 3 times, still failing",
            .incident = "12",
            .escalation = "3.17",
            .attempt = "2",
            .host = "n1"};
  page.key = deduplication_key(page);
  return page;
}

Email receiver() {
  Email to;
  to.from = "homeostat@example.org";
  to.to = {"oncall@example.org", "lead@example.org"};
  return to;
}

std::string decoded(const std::string& base64) {
  std::string out(base64.size(), '\0');
  const int length =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(base64.data()), static_cast<int>(base64.size()));
  out.resize(length < 0 ? 0 : static_cast<std::size_t>(length));
  while (out.ends_with('\0')) out.pop_back();
  return out;
}

std::string body_of(const std::string& mail) {
  std::string text;
  const std::size_t begin = mail.find("\r\n\r\n") + 4;
  for (std::size_t at = begin; at < mail.size();) {
    const std::size_t end = mail.find("\r\n", at);
    text += decoded(mail.substr(at, end - at));
    at = end + 2;
  }
  return text;
}

TEST(Page, ARepetitionHasTheSameKeyAndEverythingElseAnother) {
  Page again = page();
  again.attempt = "3";
  EXPECT_EQ(deduplication_key(again), deduplication_key(page()));
  EXPECT_TRUE(std::regex_match(deduplication_key(page()), std::regex("[0-9a-f]{32}")));
  for (std::string Page::* part : {&Page::service, &Page::summary, &Page::incident, &Page::escalation, &Page::host}) {
    Page other = page();
    other.*part += "x";
    EXPECT_NE(deduplication_key(other), deduplication_key(page()));
  }
  Page shifted = page();
  shifted.service = "webr";
  shifted.summary = "estarted 3 times, still failing";
  EXPECT_NE(deduplication_key(shifted), deduplication_key(page()));
}

TEST(Webhook, GetsJsonWithEveryField) {
  const json::object body = json::parse(webhook_body(page())).as_object();
  EXPECT_EQ(body.at("version"), 1);
  EXPECT_EQ(body.at("key"), json::value(deduplication_key(page())));
  EXPECT_EQ(body.at("service"), "web");
  EXPECT_EQ(body.at("summary"), "restarted 3 times, still failing");
  EXPECT_EQ(body.at("incident"), 12);
  EXPECT_EQ(body.at("attempt"), 2);
  EXPECT_EQ(body.at("host"), "n1");
  Page own = page();
  own.incident = "";
  own.summary = "\"},{\"\x01\xff\n";
  const json::object hostile = json::parse(webhook_body(own)).as_object();
  EXPECT_TRUE(hostile.at("incident").is_null());
  EXPECT_EQ(hostile.at("summary").as_string().find("\"},{\""), 0U);
}

TEST(Slack, NoTextBecomesAMentionOrALink) {
  Page hostile = page();
  hostile.summary = "<!channel> <https://evil.example|click> & more";
  const json::object body = json::parse(slack_body(hostile)).as_object();
  const std::string text(body.at("text").as_string());
  EXPECT_EQ(text.find("&lt;!channel&gt; &lt;https:\u200b//evil.\u200bexample|click&gt; &amp; more"), 0U) << text;
  EXPECT_EQ(text.find('<'), std::string::npos);
  EXPECT_NE(text.find("service web, incident 12"), std::string::npos) << text;
}

std::string slack_text(const std::string& summary) {
  Page hostile = page();
  hostile.summary = summary;
  const json::object body = json::parse(slack_body(hostile)).as_object();
  const std::string text(body.at("text").as_string());
  return text.substr(0, text.find('\n'));
}

TEST(Slack, WhatAChatFindsInPlainTextStaysText) {
  const std::string cut = "\u200b";
  EXPECT_EQ(slack_text("@here, ask @all and #general"),
            "@" + cut + "here, ask @" + cut + "all and #" + cut + "general");
  EXPECT_EQ(slack_text("[x](http://y.example/z)"), "[x]" + cut + "(http:" + cut + "//y." + cut + "example/z)");
  EXPECT_EQ(slack_text("[x]: mailto:a@b"), "[x]" + cut + ": mailto:" + cut + "a@" + cut + "b");
  EXPECT_EQ(slack_text("www.evil.рф"), "www." + cut + "evil." + cut + "рф");
  EXPECT_EQ(slack_text("0.07 is not < 0.05 at 09:51:52."), "0.07 is not &lt; 0.05 at 09:51:52.");
}

TEST(Mail, HasTheHeadersOfAMessageAndSaysWhereToLookOn) {
  const std::string text = mail(page(), receiver(), "Thu, 26 Nov 2026 00:00:00 +0000");
  EXPECT_EQ(text.find("Date: Thu, 26 Nov 2026 00:00:00 +0000\r\nFrom: homeostat@example.org\r\n"
                      "To: oncall@example.org,\r\n lead@example.org\r\n"
                      "Subject: [homeostat] web: restarted 3 times, still failing\r\nMessage-ID: <" +
                      deduplication_key(page()) + "@example.org>\r\n"),
            0U)
      << text;
  const std::string body = body_of(text);
  EXPECT_EQ(body.find("restarted 3 times, still failing\n\nservice:  web\nhost:     n1\nincident: 12\n"), 0U) << body;
  EXPECT_NE(body.find("`homeostat why web`"), std::string::npos) << body;
}

TEST(Mail, NoSummaryAddsAHeaderOrALongLine) {
  Page hostile = page();
  hostile.summary = "x\r\nBcc: everybody@example.org\r\n\r\n.\r\nQUIT " + std::string(5'000, 'y') + " \xc3\xa4\xff";
  const std::string text = mail(hostile, receiver(), "now");
  EXPECT_EQ(text.find("\r\nBcc"), std::string::npos);
  EXPECT_EQ(std::regex_search(text, std::regex("[^\\r]\\n")), false);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find("\r\n", at);
    ASSERT_NE(end, std::string::npos);
    EXPECT_LE(end - at, 300U);
    EXPECT_NE(text.substr(at, end - at), ".");
    at = end + 2;
  }
}

TEST(Mail, ASubjectOfOtherLettersIsEncodedBetweenCharacters) {
  Page other = page();
  other.summary = "";
  for (int i = 0; i < 40; ++i) other.summary += "\xc3\xa4";
  const std::string text = mail(other, receiver(), "now");
  const std::regex word("=\\?utf-8\\?B\\?([A-Za-z0-9+/=]*)\\?=");
  std::string subject;
  for (std::sregex_iterator at(text.begin(), text.end(), word), end; at != end; ++at) {
    EXPECT_LE(at->length(), 75);
    const std::string part = decoded((*at)[1]);
    EXPECT_NE(static_cast<unsigned char>(part.back()), 0xc3) << "a character was cut";
    subject += part;
  }
  EXPECT_EQ(subject, "[homeostat] web: " + other.summary);
}

TEST(Sender, ComesOutOfItsTextAsItWentIn) {
  const Sender hook{.to = Webhook{Dialect::slack, "https://h/\"x", {{"A", "{service}\\"}}, "/ca"},
                    .timeout = std::chrono::seconds(9)};
  EXPECT_EQ(read_sender(written(hook)), hook);
  Email to = receiver();
  to.server = "smtp:25";
  to.encryption = Encryption::none;
  to.user = "u";
  to.password = "p";
  const Sender email{.to = to};
  EXPECT_EQ(read_sender(written(email)), email);
  const auto bad = read_sender(R"({"webhook":{"url":"secret"}})");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().text.find("secret"), std::string::npos);
}

}  // namespace
}  // namespace homeostat::notify
