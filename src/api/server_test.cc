// The server on a real socket, with well-behaved and other clients.
#include "api/server.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>
#include <vector>

#include "api/listener.hpp"
#include "os/fd.hpp"

namespace homeostat::api {
namespace {

using namespace std::chrono_literals;

class TempDir {
 public:
  TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "api-test-XXXXXX").string();
    if (::mkdtemp(name.data()) != nullptr) path_ = name;
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

os::Fd connect_to(const std::string& path) {
  os::Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fd.reset();
  return fd;
}

void send_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (n <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

/// Everything until the other side closes; "(still open)" when it does not within 20 s.
std::string receive_all(int fd) {
  std::string all;
  while (true) {
    pollfd wait{.fd = fd, .events = POLLIN, .revents = 0};
    if (::poll(&wait, 1, 20'000) <= 0) return all + "(still open)";
    std::array<char, 4096> room{};
    const ssize_t n = ::recv(fd, room.data(), room.size(), 0);
    if (n <= 0) return all;
    all.append(room.data(), static_cast<std::size_t>(n));
  }
}

class ServerTest : public ::testing::Test {
 protected:
  void open(ServerOptions options = {}, Handler engine = {}) {
    options.socket = dir_.file("api.sock");
    if (!engine) engine = [](const Request& r, const Reply& reply) { reply({200, R"({"verb":")" + r.verb + "\"}"}); };
    auto opened = Server::open(options, engine, [](const Request& r) {
      return Response{200, R"({"journal":")" + r.verb + R"(","by":")" + r.user + "\"}"};
    });
    ASSERT_TRUE(opened) << opened.error().text;
    server_ = std::move(*opened);
  }

  std::string call(const std::string& text) const {
    const os::Fd fd = connect_to(path());
    send_all(fd.get(), text);
    return receive_all(fd.get());
  }
  std::string get(const std::string& target) const {
    return call("GET " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  }
  std::string post(const std::string& target, const std::string& body, const std::string& type = "application/json") {
    return call("POST " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: " + type +
                "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  }
  std::string path() const { return dir_.file("api.sock"); }

  TempDir dir_;
  std::unique_ptr<Server> server_;
};

bool says(const std::string& answer, int status, std::string_view text) {
  return answer.starts_with("HTTP/1.1 " + std::to_string(status)) && answer.find(text) != std::string::npos;
}

TEST_F(ServerTest, AnswersFromTheEngineAndFromTheJournal) {
  open();
  EXPECT_TRUE(says(get("/v1/status"), 200, R"({"verb":"status"})"));
  EXPECT_TRUE(says(get("/v1/history?limit=3"), 200, R"("journal":"history")"));
  EXPECT_TRUE(says(post("/v1/deploy", "{}"), 200, R"({"verb":"deploy"})"));
}

TEST_F(ServerTest, TellsWhoCalls) {
  std::string who;
  open({}, [&](const Request& r, const Reply& reply) {
    who = r.user;
    reply({200, "{}"});
  });
  get("/v1/status");
  server_.reset();
  EXPECT_EQ(who, user_name(::geteuid()));
}

TEST_F(ServerTest, SocketIsForItsOwnerOnly) {
  open();
  struct stat found{};
  ASSERT_EQ(::lstat(path().c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777U, 0600U);
}

TEST_F(ServerTest, ALiveSocketIsNotTakenOver) {
  open();
  auto second = Server::open({.socket = path()}, {}, {});
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().text.find("another Homeostat is listening"), std::string::npos);
  EXPECT_TRUE(says(get("/v1/status"), 200, "status"));
}

TEST_F(ServerTest, AStaleSocketIsReplacedAndOneOfOursIsRemoved) {
  listen_at(path()).value().reset();  // as after kill -9: the file stays
  ASSERT_TRUE(std::filesystem::exists(path()));
  open();
  EXPECT_TRUE(says(get("/v1/status"), 200, "status"));
  server_.reset();
  EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_F(ServerTest, WhatIsNoSocketIsLeftAlone) {
  std::ofstream(path()) << "precious";
  auto opened = Server::open({.socket = path()}, {}, {});
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().text.find("no socket"), std::string::npos);
  EXPECT_EQ(std::filesystem::file_size(path()), 8U);
}

TEST_F(ServerTest, TooLongAPathIsAnError) {
  EXPECT_FALSE(Server::open({.socket = dir_.file(std::string(200, 'x'))}, {}, {}));
}

TEST_F(ServerTest, RefusesWhatItDoesNotKnow) {
  open();
  EXPECT_TRUE(says(get("/"), 404, "error"));
  EXPECT_TRUE(says(get("/v1/nothing"), 404, "there is no /v1/nothing"));
  EXPECT_TRUE(says(get("/v1/why/../../etc"), 404, "error"));
  EXPECT_TRUE(says(get("/v1/why"), 404, "needs a service"));
  EXPECT_TRUE(says(get("/v1/deploy"), 405, "takes POST"));
  EXPECT_TRUE(says(post("/v1/status", "{}"), 405, "takes GET"));
  EXPECT_TRUE(says(call("DELETE /v1/status HTTP/1.1\r\nHost: x\r\n\r\n"), 405, "only GET and POST"));
  EXPECT_TRUE(says(get("/v1/history?since=%zz"), 400, "query"));
  EXPECT_TRUE(says(post("/v1/deploy", "{}", "text/plain"), 415, "application/json"));
  EXPECT_TRUE(says(call("hello\r\n\r\n"), 400, "not HTTP"));
}

TEST_F(ServerTest, HugeHeadersAndBodiesAreRefused) {
  open();
  EXPECT_TRUE(says(get("/v1/status?x=" + std::string(100 << 10, 'x')), 431, "64 KiB"));
  EXPECT_TRUE(says(post("/v1/deploy", std::string(2 << 20, ' ')), 413, "1 MiB"));
}

TEST_F(ServerTest, SilentAndSlowClientsAreClosed) {
  open({.header_within = 200ms, .body_within = 200ms});
  const os::Fd silent = connect_to(path());
  const os::Fd half = connect_to(path());
  send_all(half.get(), "GET /v1/sta");
  const os::Fd body = connect_to(path());
  send_all(body.get(), "POST /v1/deploy HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{");
  EXPECT_EQ(receive_all(silent.get()), "");
  EXPECT_EQ(receive_all(half.get()), "");
  EXPECT_EQ(receive_all(body.get()), "");
}

TEST_F(ServerTest, AnyNumberOfSilentConnectionsKeepsNobodyOut) {
  open({.max_connections = 50});
  std::vector<os::Fd> held;
  for (int i = 0; i < 300; ++i) {
    held.push_back(connect_to(path()));
    if (i % 2 == 0) send_all(held.back().get(), "GET /v1/st");
  }
  EXPECT_TRUE(says(get("/v1/status"), 200, "status"));
  EXPECT_EQ(receive_all(held.front().get()), "") << "the longest silent one made room";
}

TEST_F(ServerTest, WhenAllAreBeingAnsweredANewOneIsClosedAtOnce) {
  std::mutex mutex;
  std::vector<Reply> kept;
  open({.max_connections = 2}, [&](const Request&, const Reply& reply) {
    const std::lock_guard lock(mutex);
    kept.push_back(reply);
  });
  const os::Fd first = connect_to(path());
  const os::Fd second = connect_to(path());
  for (const os::Fd* fd : {&first, &second})
    send_all(fd->get(), "GET /v1/status HTTP/1.1\r\nConnection: close\r\n\r\n");
  const auto asked = [&] {
    const std::lock_guard lock(mutex);
    return kept.size();
  };
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (asked() < 2) ASSERT_LT(std::chrono::steady_clock::now(), deadline);
  EXPECT_EQ(get("/v1/status"), "");
  for (const Reply& reply : kept) reply({200, R"({"late":1})"});
  EXPECT_TRUE(says(receive_all(first.get()), 200, "late"));
  EXPECT_TRUE(says(receive_all(second.get()), 200, "late"));
}

TEST_F(ServerTest, OneConnectionServesManyRequests) {
  open();
  const os::Fd fd = connect_to(path());
  send_all(fd.get(), "GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\nGET /v1/why/web HTTP/1.1\r\nConnection: close\r\n\r\n");
  const std::string both = receive_all(fd.get());
  EXPECT_NE(both.find(R"({"verb":"status"})"), std::string::npos);
  EXPECT_NE(both.find(R"({"verb":"why"})"), std::string::npos);
}

TEST_F(ServerTest, AnEngineThatDoesNotAnswerInTimeIsReportedOnce) {
  std::mutex mutex;
  std::vector<Reply> kept;
  open({.answer_within = 100ms}, [&](const Request&, const Reply& reply) {
    const std::lock_guard lock(mutex);
    kept.push_back(reply);
  });
  EXPECT_TRUE(says(get("/v1/status"), 503, "did not answer"));
  const std::lock_guard lock(mutex);
  kept.at(0)({200, "{}"});
  kept.at(0)({200, "{}"});
}

TEST_F(ServerTest, AnswersMayComeFromAnotherThreadEvenAfterTheEnd) {
  Reply late;
  std::thread other;
  open({}, [&](const Request&, const Reply& reply) {
    late = reply;
    other = std::thread([reply] { reply({200, R"({"from":"afar"})"}); });
  });
  EXPECT_TRUE(says(get("/v1/status"), 200, "afar"));
  server_.reset();
  other.join();
  late({200, "{}"});
}

}  // namespace
}  // namespace homeostat::api
