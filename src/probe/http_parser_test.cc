#include "probe/http_parser.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace homeostat::probe {
namespace {

using State = HttpParser::State;

struct Case {
  const char* name;
  std::string bytes;
  State state;
  int status = 0;
  std::string body = "";
  bool reusable = false;
  bool head = false;
  bool closed = false;  // the peer closes after the bytes
};

std::vector<Case> cases() {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  return {
      {"sized", ok + "Content-Length: 5\r\n\r\nhello", State::done, 200, "hello", true},
      {"sized, header name in capitals", ok + "CONTENT-LENGTH:5\r\n\r\nhello", State::done, 200, "hello", true},
      {"bare line feeds", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok", State::done, 200, "ok", true},
      {"no reason", "HTTP/1.1 204\r\n\r\n", State::done, 204, "", true},
      {"empty", ok + "Content-Length: 0\r\n\r\n", State::done, 200, "", true},
      {"the same length twice", ok + "Content-Length: 2\r\nContent-Length: 2\r\n\r\nok", State::done, 200, "ok", true},
      {"close asked for", ok + "Content-Length: 2\r\nConnection: foo, Close\r\n\r\nok", State::done, 200, "ok", false},
      {"1.0 closes", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", State::done, 200, "ok", false},
      {"1.0 keeps", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok", State::done, 200, "ok",
       true},
      {"until close", ok + "\r\nall of it", State::done, 200, "all of it", false, false, true},
      {"until close, not yet", ok + "\r\nall of it", State::more, 200, "all of it"},
      {"chunked", ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA;x=y\r\n, world!!!\r\n0\r\n\r\n", State::done,
       200, "hello, world!!!", true},
      {"chunked with trailer", ok + "Transfer-Encoding: Chunked\r\n\r\n1\r\nx\r\n0\r\nA: b\r\n\r\n", State::done, 200,
       "x", true},
      {"HEAD", ok + "Content-Length: 500\r\n\r\n", State::done, 200, "", true, true},
      {"304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n", State::done, 304, "", true},
      {"interim answers",
       "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 x\r\nContent-Length: 9\r\n\r\n" + ok + "Content-Length: 2\r\n\r\nok",
       State::done, 200, "ok", true},
      {"more than asked for", ok + "Content-Length: 2\r\n\r\nok!", State::done, 200, "ok", false},
      {"truncated head", ok + "Content-Le", State::truncated, 200, "", false, false, true},
      {"truncated body", ok + "Content-Length: 5\r\n\r\nhell", State::truncated, 200, "hell", false, false, true},
      {"truncated chunk", ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhell", State::truncated, 200, "hell", false,
       false, true},
      {"another protocol", "SSH-2.0-OpenSSH\r\n", State::garbage},
      {"another protocol, no line end", "\x15\x03\x01", State::garbage},
      {"HTTP/2", "HTTP/2 200\r\n\r\n", State::garbage},
      {"HTTP/1.2", "HTTP/1.2 200 OK\r\n\r\n", State::garbage},
      {"leading blank line", "\r\nHTTP/1.1 200 OK\r\n\r\n", State::garbage},
      {"short status", "HTTP/1.1 20 OK\r\n\r\n", State::garbage},
      {"status 600", "HTTP/1.1 600 OK\r\n\r\n", State::garbage},
      {"status glued to reason", "HTTP/1.1 200OK\r\n\r\n", State::garbage},
      {"no colon", ok + "nonsense\r\n\r\n", State::garbage, 200},
      {"folded header", ok + "A: b\r\n c\r\n\r\n", State::garbage, 200},
      {"space before the colon", ok + "Content-Length : 2\r\n\r\nok", State::garbage, 200},
      {"NUL in a header", ok + std::string("A: b\0c\r\n\r\n", 10), State::garbage, 200},
      {"length not a number", ok + "Content-Length: 5x\r\n\r\nhello", State::garbage, 200},
      {"length negative", ok + "Content-Length: -5\r\n\r\nhello", State::garbage, 200},
      {"length beyond 64 bits", ok + "Content-Length: 99999999999999999999\r\n\r\n", State::garbage, 200},
      {"two lengths", ok + "Content-Length: 2\r\nContent-Length: 3\r\n\r\nok", State::garbage, 200},
      {"length and chunks", ok + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", State::garbage,
       200},
      {"gzip", ok + "Transfer-Encoding: gzip\r\n\r\n", State::garbage, 200},
      {"chunk size missing", ok + "Transfer-Encoding: chunked\r\n\r\n\r\n", State::garbage, 200},
      {"chunk size too long", ok + "Transfer-Encoding: chunked\r\n\r\n1111111111111111\r\n", State::garbage, 200},
      {"chunk longer than said", ok + "Transfer-Encoding: chunked\r\n\r\n1\r\nxx\r\n", State::garbage, 200, "x"},
      {"chunk line without end", ok + "Transfer-Encoding: chunked\r\n\r\n1;" + std::string(300, 'x'), State::garbage,
       200},
      {"endless headers", ok + "A: " + std::string(kMaxHead, 'x'), State::too_large, 200},
  };
}

void expect_as(const Case& c, const HttpParser& parser, const std::string& how) {
  EXPECT_EQ(parser.state(), c.state) << c.name << how;
  EXPECT_EQ(parser.status(), c.status) << c.name << how;
  EXPECT_EQ(parser.body(), c.body) << c.name << how;
  EXPECT_EQ(parser.reusable(), c.reusable) << c.name << how;
}

TEST(HttpParser, ReadsWhole) {
  for (const Case& c : cases()) {
    HttpParser parser;
    parser.reset(c.head, kMaxKept);
    parser.feed(c.bytes);
    if (c.closed) parser.end();
    expect_as(c, parser, " whole");
  }
}

TEST(HttpParser, ReadsTheSameSplitAnywhere) {
  for (const Case& c : cases()) {
    for (std::size_t split = 0; split <= c.bytes.size(); ++split) {
      HttpParser parser;
      parser.reset(c.head, kMaxKept);
      parser.feed(c.bytes.substr(0, split));
      parser.feed(c.bytes.substr(split));
      if (c.closed) parser.end();
      expect_as(c, parser, " split at " + std::to_string(split));
      if (testing::Test::HasFailure()) return;
    }
  }
}

TEST(HttpParser, ReadsTheSameByteByByteAndAfterAnotherAnswer) {
  HttpParser parser;
  for (const Case& c : cases()) {
    parser.reset(c.head, kMaxKept);
    for (char byte : c.bytes) parser.feed(std::string_view(&byte, 1));
    if (c.closed) parser.end();
    expect_as(c, parser, " byte by byte");
  }
}

TEST(HttpParser, KeepsOnlyTheBeginningOfABody) {
  HttpParser parser;
  parser.reset(false, 4);
  parser.feed("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789");
  EXPECT_EQ(parser.state(), State::done);
  EXPECT_EQ(parser.body(), "0123");
  EXPECT_TRUE(parser.body_cut());
  EXPECT_TRUE(parser.reusable());
}

TEST(HttpParser, DoesNotWaitForABodyThatIsDeclaredTooLong) {
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n";
  HttpParser parser;
  parser.reset(false, 0);
  EXPECT_EQ(parser.feed(head), State::done);
  EXPECT_FALSE(parser.reusable());
  parser.reset(false, kMaxKept);
  EXPECT_EQ(parser.feed(head), State::more);
  EXPECT_EQ(parser.feed(std::string(kMaxKept + 1, 'x')), State::done);
  EXPECT_TRUE(parser.body_cut());
  EXPECT_FALSE(parser.reusable());
}

TEST(HttpParser, EndlessBodiesEndAtTheBound) {
  const std::string block(10'000, 'x');
  const std::string chunk = "2710\r\n" + block + "\r\n";
  for (const bool chunked : {false, true}) {
    HttpParser parser;
    parser.reset(false, 0);
    parser.feed(chunked ? "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" : "HTTP/1.1 200 OK\r\n\r\n");
    int blocks = 0;
    while (parser.feed(chunked ? chunk : block) == State::more && blocks < 1000) ++blocks;
    EXPECT_EQ(parser.state(), State::too_large);
    EXPECT_LT(blocks, 110);
  }
}

TEST(HttpParser, ManyTinyChunksEndAtTheBound) {
  HttpParser parser;
  parser.reset(false, 0);
  parser.feed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  int chunks = 0;
  const std::string chunk = "1;" + std::string(200, 'e') + "\r\nx\r\n";
  while (parser.feed(chunk) == State::more && chunks < 100'000) ++chunks;
  EXPECT_EQ(parser.state(), State::too_large);
  EXPECT_LT(chunks, 6000);
}

TEST(HttpParser, EndlessInterimAnswersEndAtTheBound) {
  HttpParser parser;
  parser.reset(false, 0);
  int answers = 0;
  while (parser.feed("HTTP/1.1 100 Continue\r\n\r\n") == State::more && answers < 10'000) ++answers;
  EXPECT_EQ(parser.state(), State::too_large);
}

TEST(HttpParser, TellsWhereARedirectLeads) {
  HttpParser parser;
  parser.reset(false, 0);
  parser.feed("HTTP/1.1 302 Found\r\nLocation:  /there \r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(parser.location(), "/there");
}

}  // namespace
}  // namespace homeostat::probe
