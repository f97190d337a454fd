#include "os/zone.hpp"

#include <gtest/gtest.h>

namespace homeostat::os {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kWinter = 1'769'904'000 * kSecond;  // 2026-02-01 00:00 UTC
constexpr std::int64_t kSummer = 1'785'542'400 * kSecond;  // 2026-08-01 00:00 UTC

TEST(Zone, FollowsTheZoneAndItsSummerTime) {
  EXPECT_EQ(local_minutes("UTC", kWinter), kWinter / kSecond / 60);
  EXPECT_EQ(local_minutes("Europe/Berlin", kWinter), kWinter / kSecond / 60 + 60);
  EXPECT_EQ(local_minutes("Europe/Berlin", kSummer), kSummer / kSecond / 60 + 120);
  EXPECT_EQ(local_minutes("America/New_York", kSummer), kSummer / kSecond / 60 - 240);
  EXPECT_EQ(local_minutes("Asia/Kolkata", kWinter + 59 * kSecond), kWinter / kSecond / 60 + 330);
}

TEST(Zone, WhatIsNoZoneHasNoTime) {
  for (const char* name : {"", "Europe/Berlyn", "/etc/passwd", "../../../etc/passwd", "file:/etc/localtime"})
    EXPECT_FALSE(local_minutes(name, kWinter)) << name;
}

}  // namespace
}  // namespace homeostat::os
