// Plain HTTP and TCP against servers that behave, and against those that do not.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "probe/test_kit.hpp"

namespace homeostat::probe {
namespace {

using std::chrono::milliseconds;

TEST(Http, ASuccess) {
  RawServer server(always(std::string(kOk)));
  World world;
  const auto got = world.look(http_to(server.port()));
  EXPECT_EQ(got.seen.result, Result::success) << got.detail;
  EXPECT_GT(got.seen.latency, Duration{});
  EXPECT_EQ(got.run, world.runs);
}

TEST(Http, ThePlaceIsFilledIn) {
  RawServer server(always(std::string(kOk)));
  World world;
  HttpSpec spec = http_to(1, "/{instance}?v={release}");
  spec.port = "{port}";
  EXPECT_EQ(world.look(spec, {.port = server.port(), .instance = 3, .release = "1.2"}).seen.result, Result::success);
  const auto bad = world.look(spec, {.port = 0, .instance = 0, .release = "1"});
  EXPECT_EQ(bad.seen.result, Result::unknown);
  EXPECT_EQ(bad.seen.reason, Reason::internal);
}

TEST(Http, AReleaseCannotSmuggleInALine) {
  RawServer server(always(std::string(kOk)));
  World world;
  HttpSpec spec = http_to(server.port(), "/{release}");
  EXPECT_EQ(world.look(spec, {.port = 0, .instance = 0, .release = "1 HTTP/1.1\r\nX: y"}).seen.reason,
            Reason::internal);
  EXPECT_EQ(server.connections(), 0);
}

TEST(Http, AConnectionIsReusedAndRenewedEveryNthRun) {
  RawServer server(always(std::string(kOk)));
  World world;
  HttpSpec spec = http_to(server.port());
  spec.fresh_every = 4;
  world.prober->prepare(0, spec, {});
  for (int run = 0; run < 12; ++run) EXPECT_EQ(world.look(0).seen.result, Result::success);
  EXPECT_EQ(server.connections(), 3);
}

TEST(Http, FreshMeansFresh) {
  RawServer server(always(std::string(kOk)));
  World world;
  HttpSpec spec = http_to(server.port());
  spec.connection = Connection::fresh;
  world.prober->prepare(0, spec, {});
  for (int run = 0; run < 5; ++run) EXPECT_EQ(world.look(0).seen.result, Result::success);
  EXPECT_EQ(server.connections(), 5);
}

TEST(Http, AFailureEndsAConnection) {
  RawServer server(always("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"));
  World world;
  world.prober->prepare(0, http_to(server.port()), {});
  for (int run = 0; run < 3; ++run) {
    const auto got = world.look(0);
    EXPECT_EQ(got.seen.result, Result::failure);
    EXPECT_EQ(got.seen.reason, Reason::wrong_status);
    EXPECT_EQ(got.seen.code, 500);
  }
  EXPECT_EQ(server.connections(), 3);
}

TEST(Http, AConnectionThatHasGoneStaleIsNoFailure) {
  for (const bool reset : {false, true}) {
    RawServer server([reset](int fd, int) {  // one answer a connection, then it ends when asked again
      if (read_request(fd) && say(fd, kOk) && read_request(fd)) hang_up(fd, reset);
    });
    World world;
    world.prober->prepare(0, http_to(server.port()), {});
    for (int run = 0; run < 6; ++run) {
      const auto got = world.look(0);
      EXPECT_EQ(got.seen.result, Result::success) << got.detail << " run " << run;
    }
    EXPECT_GE(server.connections(), 5);
  }
}

TEST(Http, AServerThatAlwaysHangsUpFails) {
  for (const bool reset : {false, true}) {
    RawServer server([reset](int fd, int) {
      read_request(fd);
      hang_up(fd, reset);
    });
    World world;
    const auto got = world.look(http_to(server.port()));
    EXPECT_EQ(got.seen.result, Result::failure);
    EXPECT_EQ(got.seen.reason, Reason::reset);
    EXPECT_EQ(server.connections(), 1);
  }
}

TEST(Http, AnAnswerCutShortFails) {
  RawServer server([](int fd, int) {
    read_request(fd);
    say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    hang_up(fd, false);
  });
  World world;
  EXPECT_EQ(world.look(http_to(server.port())).seen.reason, Reason::reset);
}

TEST(Http, GarbageIsCalledSo) {
  RawServer server([](int fd, int) { say(fd, "220 mail.example ESMTP\r\n"); });
  World world;
  const auto got = world.look(http_to(server.port()));
  EXPECT_EQ(got.seen.result, Result::failure);
  EXPECT_EQ(got.seen.reason, Reason::garbage);
  EXPECT_TRUE(got.seen.direct());
}

TEST(Http, ARefusedConnection) {
  const DeadPort nobody;
  World world;
  const auto got = world.look(http_to(nobody.port()));
  EXPECT_EQ(got.seen.result, Result::failure);
  EXPECT_EQ(got.seen.reason, Reason::refused);
  EXPECT_EQ(world.look(tcp_to(nobody.port())).seen.reason, Reason::refused);
  EXPECT_EQ(world.look(tcp_to(nobody.port(), "hello")).seen.reason, Reason::refused);
}

TEST(Http, SilenceTimesOut) {
  RawServer server(nullptr);
  World world;
  const auto got = world.look(http_to(server.port()), {}, milliseconds(100));
  EXPECT_EQ(got.seen.result, Result::timeout);
  EXPECT_EQ(got.seen.reason, Reason::timed_out);
  EXPECT_FALSE(got.seen.direct());
  EXPECT_EQ(got.detail, "connected, but no answer");
}

TEST(Http, OneByteAtATimeTimesOut) {
  RawServer server([](int fd, int) {
    say(fd, "HTTP/1.1 200 OK\r\n\r\n");
    while (say(fd, "x")) std::this_thread::sleep_for(milliseconds(20));
  });
  World world;
  const auto got = world.look(http_to(server.port()), {}, milliseconds(200));
  EXPECT_EQ(got.seen.result, Result::timeout);
  EXPECT_EQ(got.seen.reason, Reason::timed_out);
}

TEST(Http, AnEndlessBodyEndsAtTheBound) {
  RawServer server([](int fd, int) {
    say(fd, "HTTP/1.1 200 OK\r\n\r\n");
    while (say(fd, std::string(10'000, 'x'))) {
    }
  });
  World world;
  const auto got = world.look(http_to(server.port()));
  EXPECT_EQ(got.seen.result, Result::failure);
  EXPECT_EQ(got.seen.reason, Reason::too_large);
}

TEST(Http, AnAnswerThatIsThereWhenTimeIsUpCounts) {
  RawServer server(always(std::string(kOk)));
  World world;
  world.prober->prepare(0, http_to(server.port()), {});
  world.prober->start(0, 1, milliseconds(20), steady_now());
  // It is we who do not look for a while, as after a pause of the whole program.
  std::this_thread::sleep_for(milliseconds(300));
  world.prober->advance(steady_now());
  ASSERT_EQ(world.results[0].count, 1);
  EXPECT_EQ(world.results[0].seen.result, Result::success);
}

TEST(Http, TheBodyMustContainWhatIsExpected) {
  RawServer server(always("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nstate: ready"));
  World world;
  HttpSpec spec = http_to(server.port());
  spec.contains = "ready";
  EXPECT_EQ(world.look(spec).seen.result, Result::success);
  spec.contains = "steady";
  const auto got = world.look(spec);
  EXPECT_EQ(got.seen.result, Result::failure);
  EXPECT_EQ(got.seen.reason, Reason::wrong_body);
}

TEST(Http, AnAnswerAboveTheLatencyBoundIsTooSlow) {
  RawServer server([](int fd, int) {
    read_request(fd);
    std::this_thread::sleep_for(milliseconds(60));
    say(fd, kOk);
  });
  World world;
  HttpSpec spec = http_to(server.port());
  spec.latency_below = milliseconds(50);
  const auto got = world.look(spec);
  EXPECT_EQ(got.seen.result, Result::failure);
  EXPECT_EQ(got.seen.reason, Reason::too_slow);
  EXPECT_GE(got.seen.code, 50);
}

TEST(Http, StatusRanges) {
  RawServer server(always("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"));
  World world;
  HttpSpec spec = http_to(server.port());
  spec.status = {{200, 299}, {404, 404}};
  EXPECT_EQ(world.look(spec).seen.result, Result::success);
  spec.status = {{200, 299}, {300, 403}};
  const auto got = world.look(spec);
  EXPECT_EQ(got.seen.reason, Reason::wrong_status);
  EXPECT_EQ(got.detail, "HTTP 404, expected 200-299, 300-403");
}

TEST(Tcp, ConnectingSendingExpecting) {
  RawServer server([](int fd, int) {
    say(fd, "+O");
    std::this_thread::sleep_for(milliseconds(20));
    say(fd, "K ready\r\n");
  });
  World world;
  EXPECT_EQ(world.look(tcp_to(server.port())).seen.result, Result::success);
  EXPECT_EQ(world.look(tcp_to(server.port(), "PING\r\n")).seen.result, Result::success);
  EXPECT_EQ(world.look(tcp_to(server.port(), "", "+OK")).seen.result, Result::success);
  EXPECT_EQ(world.look(tcp_to(server.port(), "", "+OK ready\r\n")).seen.result, Result::success);
  EXPECT_EQ(world.look(tcp_to(server.port(), "", "-ERR")).seen.reason, Reason::wrong_body);
  EXPECT_EQ(world.look(tcp_to(server.port(), "", "+OK ready\r\nmore"), {}, milliseconds(100)).seen.reason,
            Reason::timed_out);
}

TEST(Tcp, WhatIsSentArrives) {
  std::atomic<std::size_t> got = 0;
  std::atomic<bool> ended = false;
  RawServer server([&](int fd, int) {
    std::this_thread::sleep_for(milliseconds(50));  // most of it still waits on the sender's side when the run is over
    char buffer[4096];
    ssize_t count = 0;
    while ((count = ::recv(fd, buffer, sizeof buffer, 0)) > 0) got += static_cast<std::size_t>(count);
    ended = true;
  });
  World world;
  const std::string much(2'000'000, 'x');
  EXPECT_EQ(world.look(tcp_to(server.port(), much)).seen.result, Result::success);
  EXPECT_TRUE(world.until([&ended] { return ended.load(); }));
  EXPECT_EQ(got, much.size());
}

TEST(Prober, OutOfDescriptorsIsOurFault) {
  RawServer server(always(std::string(kOk)));
  World world;
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  world.prober->prepare(0, http_to(server.port()), {});
  world.prober->prepare(1, http_to(server.port()), {});
  EXPECT_EQ(world.look(0).seen.result, Result::success);  // and keeps its connection
  std::vector<os::Fd> taken;
  for (os::Fd fd(::dup(0)); fd && fd.get() < 200; fd.reset(::dup(0))) taken.push_back(std::move(fd));
  const rlimit tight{.rlim_cur = 150, .rlim_max = before.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &tight);
  world.prober->start(1, 1, milliseconds(100), steady_now());  // takes the one that target 0 only kept
  EXPECT_EQ(world.results[1].count, 0);
  world.prober->cancel(1);
  ::setrlimit(RLIMIT_NOFILE, &before);
  os::Fd last(::dup(0));
  const rlimit none{.rlim_cur = 3, .rlim_max = before.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &none);
  world.prober->start(1, 2, milliseconds(100), steady_now());
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(world.results[1].seen.result, Result::unknown);
  EXPECT_EQ(world.results[1].seen.reason, Reason::no_descriptors);
}

TEST(Prober, EveryStartIsAnsweredOnceUnlessCancelled) {
  RawServer silent(nullptr);
  World world;
  world.prober->prepare(0, http_to(silent.port()), {});
  world.prober->start(0, 1, milliseconds(5000), steady_now());
  world.prober->start(0, 2, milliseconds(50), steady_now());  // ends the first one
  EXPECT_EQ(world.results[0].run, 1U);
  EXPECT_EQ(world.results[0].seen.result, Result::unknown);
  EXPECT_TRUE(world.until([&] { return world.results[0].count == 2; }));
  EXPECT_EQ(world.results[0].run, 2U);
  EXPECT_EQ(world.results[0].seen.result, Result::timeout);
  world.prober->start(0, 3, milliseconds(20), steady_now());
  world.prober->cancel(0);
  EXPECT_FALSE(world.prober->next_deadline());
  world.prober->start(0, 4, milliseconds(20), steady_now());
  world.prober->renumber({});
  EXPECT_FALSE(world.prober->next_deadline());
  EXPECT_EQ(world.results[0].count, 2);
  world.prober->start(0, 5, milliseconds(20), steady_now());  // never prepared
  EXPECT_EQ(world.results[0].seen.reason, Reason::internal);
}

TEST(Prober, AThousandHungTargetsDelayNoOther) {
  RawServer silent(nullptr, 4096);
  RawServer good(always(std::string(kOk)));
  World world;
  constexpr std::uint32_t kHung = 1000;
  for (std::uint32_t i = 0; i < kHung; ++i) {
    world.prober->prepare(i, http_to(silent.port()), {});
    world.prober->start(i, 1, std::chrono::seconds(10), steady_now());
  }
  Duration slowest{};
  for (std::uint32_t i = 0; i < 50; ++i) world.prober->prepare(kHung + i, http_to(good.port()), {});
  for (int round = 0; round < 10; ++round) {
    for (std::uint32_t i = 0; i < 50; ++i) {
      const auto got = world.look(kHung + i);
      ASSERT_EQ(got.seen.result, Result::success) << got.detail;
      slowest = std::max(slowest, got.seen.latency);
    }
  }
  EXPECT_LT(slowest, std::chrono::seconds(1));
  int answered = 0;
  for (std::uint32_t i = 0; i < kHung; ++i) answered += world.results[i].count;
  EXPECT_EQ(answered, 0);
}

TEST(Prober, TheSelfCheckTalksToOurselves) {
  World world;
  int good = 0;
  for (int i = 0; i < 3; ++i) {
    world.prober->self_check([&good](bool ok) { good += ok ? 1 : 100; }, std::chrono::seconds(5), steady_now());
  }
  EXPECT_TRUE(world.until([&] { return good >= 3; }));
  EXPECT_EQ(good, 3);
  bool done = false;
  world.prober->self_check([&](bool ok) { done = ok; }, std::chrono::seconds(5), steady_now());
  EXPECT_TRUE(world.until([&] { return done; }));
}

}  // namespace
}  // namespace homeostat::probe
