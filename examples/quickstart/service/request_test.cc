#include "request.hpp"

#include <gtest/gtest.h>

namespace quickstart {
namespace {

TEST(Request, WholeRequestIsTakenAndTheNextIsLeft) {
  const Parsed parsed = parse("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET / HT");
  EXPECT_EQ(parsed.state, State::whole);
  EXPECT_EQ(parsed.request.method, "GET");
  EXPECT_EQ(parsed.request.target, "/healthz");
  EXPECT_TRUE(parsed.request.keep_alive);
  EXPECT_EQ(parsed.used, 34U);
}

TEST(Request, BodyIsWaitedForAndSkipped) {
  EXPECT_EQ(parse("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nab").state, State::partial);
  const Parsed parsed = parse("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcG");
  EXPECT_EQ(parsed.state, State::whole);
  EXPECT_EQ(parsed.used, 41U);
}

TEST(Request, ConnectionIsKeptAsTheVersionAndTheHeaderSay) {
  EXPECT_FALSE(parse("GET / HTTP/1.0\r\n\r\n").request.keep_alive);
  EXPECT_TRUE(parse("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").request.keep_alive);
  EXPECT_FALSE(parse("GET / HTTP/1.1\r\nconnection: close\r\n\r\n").request.keep_alive);
}

TEST(Request, GarbageIsBad) {
  for (const char* text :
       {"\r\n\r\n", "GET\r\n\r\n", "GET / SPDY/9\r\n\r\n", "GET / HTTP/1.1\r\nno colon\r\n\r\n",
        "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "GET / HTTP/1.1\r\nContent-Length: 999999999999\r\n\r\n",
        "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
    EXPECT_EQ(parse(text).state, State::bad) << text;
  }
  EXPECT_EQ(parse(std::string(9000, 'a')).state, State::bad);
}

TEST(Request, PartialRequestIsWaitedFor) {
  EXPECT_EQ(parse("").state, State::partial);
  EXPECT_EQ(parse("GET / HTTP/1.1\r\nHost").state, State::partial);
}

}  // namespace
}  // namespace quickstart
